import pg from 'pg';

/** All that one database holds, as far as two runs that did the same must agree: text, so that a difference reads well. */
export interface Snapshot {
  /** One line for each schema, relation, column, constraint, index, routine, type, trigger, policy and setting. */
  readonly catalog: readonly string[];
  /** Rows of the users' tables by table, as sorted JSON. */
  readonly data: Readonly<Record<string, readonly string[]>>;
  /** Rows of the ledger by table, as sorted JSON, without who wrote them and when. */
  readonly ledger: Readonly<Record<string, readonly string[]>>;
}

/** Looks at the database of the URI, in one transaction. The role must see everything: its owner or a superuser. */
export async function takeSnapshot(uri: string): Promise<Snapshot> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    await client.query(
      'begin transaction isolation level repeatable read; set local search_path = pg_catalog',
    );
    const { rows: lines } = await client.query<{ line: string }>(catalogQuery);
    const { rows: tables } = await client.query<{ name: string; schema: string }>(tablesQuery);
    const data: Record<string, readonly string[]> = {};
    const ledger: Record<string, readonly string[]> = {};
    for (const { name, schema } of tables) {
      const { rows } = await client.query<{ row: Record<string, unknown> }>(
        `select to_jsonb(t) as row from ${name} t`,
      );
      const isLedger = schema === 'pgrst_ledger';
      (isLedger ? ledger : data)[name] = rows
        .map(({ row }) => JSON.stringify(isLedger ? withoutCircumstances(row) : row))
        .sort();
    }
    return { catalog: lines.map(({ line }) => line), data, ledger };
  } finally {
    await client.end();
  }
}

function withoutCircumstances(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !/_(at|by|ms|pid)$/.test(column)));
}

const tablesQuery = `
select c.oid::regclass::text as name, n.nspname as schema
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
 order by 1`;

// Oids and transaction ids are left out, and the values of sequences, which a rollback does not take back.
const catalogQuery = `
with
ns as (select * from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
rel as (select c.* from pg_class c join ns on ns.oid = c.relnamespace),
line (line) as (
  select format('schema %I owner %s acl %s', nspname, nspowner::regrole, nspacl) from ns
  union all
  select format('relation %s %s owner %s acl %s options %s rls %s %s %s comment %s', oid::regclass, relkind, relowner::regrole,
                relacl, reloptions, relrowsecurity, relforcerowsecurity,
                case when relkind in ('v', 'm') then pg_get_viewdef(oid) end, obj_description(oid, 'pg_class'))
    from rel
  union all
  select format('column %s %s %s not null %s default %s acl %s comment %s', a.attrelid::regclass, a.attname,
                format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl,
                col_description(a.attrelid, a.attnum))
    from rel join pg_attribute a on a.attrelid = rel.oid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attnum > 0 and not a.attisdropped
  union all
  select format('constraint %s %s %s valid %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
    from pg_constraint where connamespace in (select oid from ns)
  union all
  select format('index %s valid %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index join rel on rel.oid = indexrelid
  union all
  select format('routine %s owner %s acl %s %s', p.oid::regprocedure, proowner::regrole, proacl,
                case when prokind <> 'a' then pg_get_functiondef(p.oid) end)
    from pg_proc p join ns on ns.oid = p.pronamespace
  union all
  select format('type %s %s %s', t.oid::regtype, t.typtype,
                (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid = t.oid))
    from pg_type t join ns on ns.oid = t.typnamespace
  union all
  select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t join rel on rel.oid = t.tgrelid where not tgisinternal
  union all
  select format('policy %s on %s %s %s', polname, polrelid::regclass, pg_get_expr(polqual, polrelid), polroles::regrole[])
    from pg_policy where polrelid in (select oid from rel)
  union all
  select format('inherits %s of %s detaching %s', inhrelid::regclass, inhparent::regclass, inhdetachpending) from pg_inherits
  union all
  select format('setting %s %s', s.setrole::regrole, s.setconfig)
    from pg_db_role_setting s
   where s.setdatabase = (select oid from pg_database where datname = current_database())
      or s.setrole = (select oid from pg_roles where rolname = session_user)
)
select line from line order by line collate "C"`;
