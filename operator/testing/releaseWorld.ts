import { claim } from '../database/ledger.ts';
import { openSession, type Session } from '../database/session.ts';
import { isStatementProblem, runnableStatements } from '../migration/classify.ts';
import { contractionTargets, type ContractionReading } from '../migration/contractionTargets.ts';
import { loadSqlParser } from '../migration/parser.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import { isSplitProblem, splitSql } from '../migration/statements.ts';
import { createTestDatabase, type TestDatabase } from './pgTemplate.ts';

/** A release that a test puts there by hand. */
export interface HandMadeRelease {
  readonly id: string;
  readonly schema: string;
}

/** A claimed database with data tables and releases over them, and a session of the operator's. */
export interface ReleaseWorld {
  readonly db: TestDatabase;
  readonly session: Session;
  /** In the order of `releases`; the last one is the newest. */
  readonly releases: readonly HandMadeRelease[];
  close(): Promise<void>;
}

/**
 * Makes one: `tables` runs first, then each text of `releases` in a schema of its own, with `api.` standing for it. The
 * ids are 00000001, 00000002, ...
 */
export async function createReleaseWorld(tables: string, releases: readonly string[]): Promise<ReleaseWorld> {
  await loadSqlParser();
  const db = await createTestDatabase();
  const session = await openSession({
    uri: db.uri,
    applicationName: 'postgrest-operator test',
    signal: new AbortController().signal,
    lockTimeoutMs: 500,
  });
  await claim(session, { namespace: 'shop', name: 'todo', clusterId: 'c', exposedSchema: 'api' }, 0);
  await db.query(tables);
  const made: HandMadeRelease[] = [];
  for (const sql of releases) {
    const id = String(made.length + 1).padStart(8, '0');
    const schema = `api_${id}`;
    await db.query(`create schema ${schema}; ${sql.replaceAll('api.', `${schema}.`)}`);
    await db.query(
      `insert into pgrst_ledger.releases (exposed_schema, id, hash, schema_name, api_sql, fingerprint, built_by)
       values ('api', $1, $1, $2, '', '', 'me')`,
      [id, schema],
    );
    await db.query('update pgrst_ledger.claims set current_release = $1', [id]);
    made.push({ id, schema });
  }
  return {
    db,
    session,
    releases: made,
    close: async () => {
      await session.close();
      await db.drop();
    },
  };
}

/** The statements of a text, as the SQL thread gives them. */
export function statementsOf(sql: string): readonly RunnableStatement[] {
  const split = splitSql(sql);
  if (isSplitProblem(split)) throw new Error(split.message);
  const runnable = runnableStatements(split, { idempotent: false });
  if (isStatementProblem(runnable)) throw new Error(runnable.message);
  return runnable;
}

/** What a contraction takes away, as the SQL thread tells it. */
export function readingOf(sql: string): ContractionReading {
  const reading = contractionTargets(sql);
  if ('message' in reading) throw new Error(reading.message);
  return reading;
}

/** Everything in the database's own catalogs and tables, as text: two that are equal are the same database. */
export async function snapshot(db: TestDatabase): Promise<readonly string[]> {
  const rows = await db.query<{ line: string }>(
    `select 'class ' || c.oid || ' ' || c.relfilenode || ' ' || c.xmin || ' ' || c::text as line
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
     union all select 'attribute ' || a::text from pg_attribute a where a.attrelid >= 16384
     union all select 'proc ' || p::text from pg_proc p where p.oid >= 16384
     union all select 'type ' || t::text from pg_type t where t.oid >= 16384
     union all select 'namespace ' || n::text from pg_namespace n
      where n.nspname !~ '^pg_(toast_)?temp_'
     union all select 'depend ' || d::text from pg_depend d
     union all select 'constraint ' || k::text from pg_constraint k
     union all select 'role ' || r.rolname from pg_roles r
     union all select 'ledger ' || query_to_xml('select * from pgrst_ledger.releases', true, true, '')::text
     union all select 'ledger ' || query_to_xml('select * from pgrst_ledger.claims', true, true, '')::text
     union all select 'data ' || query_to_xml('select xmin, ctid, * from public.tasks', true, true, '')::text
     order by 1`,
  );
  return rows.map(({ line }) => line);
}
