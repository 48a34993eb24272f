import type { Session } from './session.ts';

/** A lock on a relation, as PostgreSQL names its mode: `AccessExclusiveLock`. */
export interface RelationLock {
  /** With its schema: `public.tasks`. */
  readonly relation: string;
  readonly mode: string;
}

/** What one statement did to what was there before the transaction. */
export interface LockChange {
  /** The strongest lock on each relation, where it is stronger than what was held before. */
  readonly locks: readonly RelationLock[];
  /** Tables that it writes anew from beginning to end. */
  readonly rewrites: readonly string[];
  /** How many locks the transaction holds by now, on whatever. */
  readonly held: number;
}

/** Looks at what our own backend holds. */
export interface LockWatch {
  /** What is new since the last look. Works under any search_path and role that the user's SQL has set. */
  look(): Promise<LockChange>;
}

/** Weakest first. What reads and plain writes take (AccessShare, RowShare, RowExclusive) stops nobody worth naming. */
const modes = [
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

interface Known {
  readonly name: string;
  filenode: string;
  /** Index in `modes` of the strongest lock that was seen; -1: none. */
  strongest: number;
}

/** Begins to watch, at the beginning of a transaction: what is there now is what `look` speaks of. */
export async function watchLocks(session: Session): Promise<LockWatch> {
  const rows = await session.query<{ oid: string; name: string; filenode: string }>(
    `select c.oid::text as oid, c.oid::regclass::text as name, c.relfilenode::text as filenode
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'm', 'v', 'f', 'S')
        and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pgrst_ledger')`,
  );
  const known = new Map<string, Known>(
    rows.map(({ oid, name, filenode }) => [oid, { name, filenode, strongest: -1 }]),
  );
  return {
    look: async () => {
      const held = await session.query<{ oid: string; mode: string }>(
        `select l.relation::pg_catalog.text as oid, l.mode
           from pg_catalog.pg_locks l
          where l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
            and l.locktype operator(pg_catalog.=) 'relation'`,
      );
      return {
        locks: newLocks(known, held),
        rewrites: await newRewrites(session, known),
        held: held.length,
      };
    },
  };
}

function newLocks(
  known: ReadonlyMap<string, Known>,
  held: readonly { readonly oid: string; readonly mode: string }[],
): readonly RelationLock[] {
  const grown = new Set<Known>();
  for (const { oid, mode } of held) {
    const relation = known.get(oid);
    const strength = modes.indexOf(mode);
    if (relation === undefined || strength <= relation.strongest) continue;
    relation.strongest = strength;
    grown.add(relation);
  }
  // The strongest first; PostgreSQL shows them in no order.
  return [...grown]
    .sort((a, b) => b.strongest - a.strongest || (a.name < b.name ? -1 : 1))
    .map(({ name, strongest }) => ({ relation: name, mode: modes[strongest] ?? '' }));
}

// Whatever gives a table another file holds it exclusively.
async function newRewrites(session: Session, known: ReadonlyMap<string, Known>): Promise<readonly string[]> {
  const exclusive = [...known].filter(([, { strongest }]) => strongest === modes.length - 1);
  if (exclusive.length === 0) return [];
  const rows = await session.query<{ oid: string; filenode: string }>(
    `select c.oid::pg_catalog.text as oid, c.relfilenode::pg_catalog.text as filenode
       from pg_catalog.pg_class c where c.oid operator(pg_catalog.=) any ($1::pg_catalog.oid[])`,
    [exclusive.map(([oid]) => oid)],
  );
  return rows.flatMap(({ oid, filenode }) => {
    const relation = known.get(oid);
    if (relation === undefined || relation.filenode === filenode) return [];
    relation.filenode = filenode;
    return [relation.name];
  });
}
