import type { DocumentedDatabase } from './documentedDatabase.ts';

/**
 * A tenant, who may create objects in `public` and in a schema of its own, plants a trap for everything of pg_catalog
 * that a query could name: functions and operators with the same arguments, views and types of the same names. The
 * owner's search_path leads to the tenant first, and to pg_catalog last. A trap that is called counts, even when its
 * transaction is rolled back, and fails. (Casts cannot be planted: one has to own one of the types.)
 */
export async function plantTraps(db: DocumentedDatabase): Promise<void> {
  const tenant = `tenant_${db.tag}`;
  const owner = db.names.app_owner;
  await db.query(`
    create role ${tenant} login password '${db.tag}';
    grant connect on database ${db.names.app} to ${tenant};
    grant usage, create on schema public to ${tenant};
    create schema tenant authorization ${tenant};
    grant usage on schema tenant, public to ${owner};
    alter role ${owner} set search_path = tenant, public, pg_catalog`);
  await db.query(planting, tenant);
}

/** How often traps were called until now, and that they do work: what a careless query of the owner adds. */
export async function springTraps(db: DocumentedDatabase): Promise<{ before: number; after: number }> {
  const count = async (): Promise<number> => {
    const [row] = await db.query<{ calls: string }>(
      'select case when is_called then last_value else 0 end as calls from tenant.calls',
    );
    return Number(row?.calls);
  };
  const before = await count();
  await db.query("select current_setting('port')", db.names.app_owner).catch(() => undefined);
  return { before, after: await count() };
}

const planting = `
set search_path = pg_catalog;
create sequence tenant.calls;
create function tenant.trap() returns bool language plpgsql security definer as $$
begin
  perform pg_catalog.nextval('tenant.calls');
  raise exception 'a trap was called';
end $$;
do $$
declare
  place text;
  one record;
begin
  foreach place in array array['tenant', 'public'] loop
    for one in
      select p.proname as name, pg_get_function_identity_arguments(p.oid) as arguments, p.prorettype::regtype as result
        from pg_proc p
       where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and not p.proretset
         and not exists (select from pg_type t where t.oid = any (p.proargtypes || p.prorettype) and t.typtype = 'p')
    loop
      execute format('create function %I.%I(%s) returns %s language plpgsql as '
                     '''begin perform tenant.trap(); end''', place, one.name, one.arguments, one.result);
    end loop;
    for one in
      select o.oid, o.oprname as name, o.oprleft::regtype as l, o.oprright::regtype as r, o.oprresult::regtype as result
        from pg_operator o
       where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprkind = 'b'
         and not exists (select from pg_type t where t.oid in (o.oprleft, o.oprright, o.oprresult) and t.typtype = 'p')
    loop
      execute format('create function %I.operator_%s(%s, %s) returns %s language plpgsql as '
                     '''begin perform tenant.trap(); end''', place, one.oid, one.l, one.r, one.result);
      execute format('create operator %I.%s (leftarg = %s, rightarg = %s, function = %I.operator_%s)',
                     place, one.name, one.l, one.r, place, one.oid);
    end loop;
    for one in
      select c.relname as name,
             (select string_agg(quote_ident(a.attname) || case when t.typtype = 'p' then '::text' else '' end, ', ')
                from pg_attribute a join pg_type t on t.oid = a.atttypid
               where a.attrelid = c.oid and a.attnum > 0) as columns
        from pg_class c
       where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v')
         and has_table_privilege(c.oid, 'select')
    loop
      execute format('create view %I.%I as select %s from pg_catalog.%I where tenant.trap()',
                     place, one.name, one.columns, one.name);
      execute format('grant select on %I.%I to public', place, one.name);
    end loop;
    foreach one.name in array array['text', 'name', 'oid', 'regclass', 'regnamespace', 'regtype', 'jsonb', 'bytea'] loop
      execute format('create domain %I.%I as pg_catalog.int4', place, one.name);
    end loop;
  end loop;
end $$;
`;
