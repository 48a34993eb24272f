import type { Solo, SqlName } from '../migration/runnable.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { RunFailure } from './runFailure.ts';
import type { Session } from './session.ts';

/** How the catalog stands to what a statement is for. */
export type Standing =
  /** It is not so yet; `repairs` are the statements that first remove what an interrupted attempt has left. */
  | { readonly kind: 'open'; readonly repairs: readonly string[] }
  /** It is half so, and `finish` does the rest instead of the statement itself. */
  | { readonly kind: 'pending'; readonly finish: string }
  /** It is so: whoever has begun it has done it. */
  | { readonly kind: 'reached' };

const open: Standing = { kind: 'open', repairs: [] };
const reached: Standing = { kind: 'reached' };

/**
 * Reads from the catalog how the statement stands. Names are looked up on the search_path, so call it under the user's
 * settings. `isBegun`: an earlier attempt may have left something. Throws a RunFailure LockHeld while another session
 * builds the same index.
 */
export async function standingOf(session: Session, solo: Solo, isBegun: boolean): Promise<Standing> {
  switch (solo.kind) {
    case 'createIndex':
      return await indexStanding(session, solo.index, solo.table);
    case 'dropIndex':
      return (await anyExists(session, solo.indexes)) ? open : reached;
    case 'addEnumValue': {
      const rows = await session.query(
        `select from pg_catalog.pg_enum where enumtypid = pg_catalog.to_regtype($1) and enumlabel = $2`,
        [quoted(solo.type), solo.value],
      );
      return rows.length > 0 ? reached : open;
    }
    case 'detachPartition':
      return await detachStanding(session, solo.table, solo.partition);
    case 'reindex':
      return isBegun && solo.isConcurrent ? await reindexStanding(session) : open;
    case 'repeatable':
    case 'idempotent':
      return open;
  }
}

// CREATE INDEX IF NOT EXISTS is content with an invalid index, so one is looked for before the first attempt too.
async function indexStanding(session: Session, index: string, table: SqlName): Promise<Standing> {
  const [found] = await session.query<{ valid: boolean; name: string; builder: number | null }>(
    `select i.indisvalid as valid, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
            (select pg_catalog.min(pid) from (${builders}) b) as builder
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where i.indrelid = pg_catalog.to_regclass($1) and c.relname = $2`,
    [quoted(table), index],
  );
  if (found === undefined) return open;
  if (found.valid) return reached;
  if (found.builder !== null)
    throw new RunFailure(
      'LockHeld',
      `Backend ${String(found.builder)} is just building index ${found.name}: the migration goes on when that has ended.`,
    );
  return { kind: 'open', repairs: [dropInvalid(found.name)] };
}

/** Other sessions that are building an index of table i.indrelid: their invalid index is not a leftover. */
const builders = `
  select p.pid from pg_catalog.pg_stat_progress_create_index p join pg_catalog.pg_locks l on l.pid = p.pid
   where l.relation = i.indrelid and l.granted and l.mode = 'ShareUpdateExclusiveLock'
     and p.pid <> pg_catalog.pg_backend_pid()`;

async function anyExists(session: Session, names: readonly SqlName[]): Promise<boolean> {
  const rows = await session.query(
    'select from pg_catalog.unnest($1::pg_catalog.text[]) as name where pg_catalog.to_regclass(name) is not null',
    [names.map(quoted)],
  );
  return rows.length > 0;
}

async function detachStanding(session: Session, table: SqlName, partition: SqlName): Promise<Standing> {
  const [found] = await session.query<{ pending: boolean }>(
    `select inhdetachpending as pending from pg_catalog.pg_inherits
      where inhparent = pg_catalog.to_regclass($1) and inhrelid = pg_catalog.to_regclass($2)`,
    [quoted(table), quoted(partition)],
  );
  if (found === undefined) return reached;
  return found.pending
    ? {
        kind: 'pending',
        finish: `alter table ${quoted(table)} detach partition ${quoted(partition)} finalize`,
      }
    : open;
}

// REINDEX CONCURRENTLY builds beside the old index as <name>_ccnew and leaves the old one as <name>_ccold.
async function reindexStanding(session: Session): Promise<Standing> {
  const left = await session.query<{ name: string }>(
    `select pg_catalog.format('%I.%I', n.nspname, c.relname) as name
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$' and n.nspname !~ '^pg_'
        and pg_catalog.pg_has_role(c.relowner, 'usage')
        and exists (
          select from pg_catalog.pg_index j join pg_catalog.pg_class d on d.oid = j.indexrelid
           where j.indrelid = i.indrelid and j.indexrelid <> i.indexrelid
             and pg_catalog.starts_with(d.relname, pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')))
        and not exists (${builders})
      order by name`,
  );
  return { kind: 'open', repairs: left.map(({ name }) => dropInvalid(name)) };
}

function dropInvalid(name: string): string {
  return `drop index concurrently if exists ${name}`;
}

function quoted({ schema, name }: SqlName): string {
  const last = quoteIdentifier(name);
  return schema === undefined ? last : `${quoteIdentifier(schema)}.${last}`;
}
