import { createHash } from 'node:crypto';
import type { RunnableStatement } from '../migration/runnable.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { RunFailure } from './runFailure.ts';
import { StatementError } from './runStatements.ts';
import type { Session } from './session.ts';

/** How far a migration that is committed piece by piece has come. */
export interface Progress {
  /** The first so many statements are done. */
  readonly done: number;
  /** The statement, counted from 1, that a run before this one began and that may be done, half done, or not. */
  readonly begun: number | undefined;
}

/** The one row of the ledger that says how far a migration has come; only its runner writes it. */
export interface ProgressRow {
  /** Takes the row over, or writes it; throws a RunFailure LockHeld while somebody else's backend is at it. */
  take(): Promise<Progress>;
  /** The statement with this number is about to run alone. */
  begin(statement: number): Promise<void>;
  /** The first so many statements are done; inside a transaction it is so when that commits. */
  advance(from: number, to: number): Promise<void>;
  /** All is done. */
  finish(): Promise<void>;
  /** The statement that was begun has failed for good and left nothing: without any that is done, nor does the row. */
  giveUp(done: number): Promise<void>;
}

/** The row of this migration, seen from the session that runs it. */
export function progressRow(session: Session, migration: MigrationToRun): ProgressRow {
  const key = [migration.exposedSchema, migration.name];
  const { statements } = migration;

  // Whoever has taken the row over in between (our lock was given up, by whatever) has another backend.
  const write = async (
    assignments: string,
    values: readonly unknown[],
    condition = 'true',
  ): Promise<void> => {
    const rows = await session.query(
      `update pgrst_ledger.migrations set ${assignments}
        where exposed_schema = $1 and name = $2 and state = 'running'
          and backend_pid = pg_backend_pid() and ${condition} returning name`,
      [...key, ...values],
    );
    if (rows.length === 0) throw takenOver(migration.name);
  };

  return {
    take: async () => {
      await session.query(
        `insert into pgrst_ledger.migrations
                (exposed_schema, name, position, checksum, applied_by, state, backend_pid)
         values ($1, $2, $3, $4, $5, 'running', pg_backend_pid())
         on conflict (exposed_schema, name) do nothing`,
        [...key, migration.position, migration.checksum, migration.appliedBy],
      );
      const row = await readRow(session, key);
      if (row?.state !== 'running') throw takenOver(migration.name);
      if (row.runs_elsewhere)
        throw new RunFailure(
          'LockHeld',
          `Backend ${String(row.backend_pid)} still runs migration ${migration.name}: it goes on when that has ended.`,
        );
      refuseChange(row, statements);
      const taken = await session.query(
        `update pgrst_ledger.migrations set backend_pid = pg_backend_pid(), checksum = $3, applied_by = $4
          where exposed_schema = $1 and name = $2 and state = 'running' and backend_pid = $5 returning name`,
        [...key, migration.checksum, migration.appliedBy, row.backend_pid],
      );
      if (taken.length === 0) throw takenOver(migration.name);
      return { done: row.statements_done, begun: row.statement_begun ?? undefined };
    },
    begin: async (statement) => {
      await write('statement_begun = $3', [statement]);
    },
    advance: async (from, to) => {
      await write(
        'statements_done = $4, done_checksum = $5, statement_begun = null',
        [from, to, checksumOf(statements.slice(0, to))],
        'statements_done = $3',
      );
    },
    finish: async () => {
      await write(
        `state = 'applied', backend_pid = null, applied_at = clock_timestamp(),
         duration_ms = least(extract(epoch from clock_timestamp() - applied_at) * 1000, 2147483647)`,
        [],
      );
    },
    giveUp: async (done) => {
      if (done > 0) await write('statement_begun = null', []);
      else
        await session.query(
          `delete from pgrst_ledger.migrations
            where exposed_schema = $1 and name = $2 and state = 'running' and backend_pid = pg_backend_pid()`,
          key,
        );
    },
  };
}

interface Row {
  readonly state: 'running' | 'applied';
  readonly statements_done: number;
  readonly statement_begun: number | null;
  readonly done_checksum: string;
  readonly backend_pid: number;
  /** Whether the backend that wrote it last is another one, and alive. */
  readonly runs_elsewhere: boolean;
}

async function readRow(session: Session, key: readonly string[]): Promise<Row | undefined> {
  const [row] = await session.query<Row>(
    `select state, statements_done, statement_begun, done_checksum, backend_pid,
            backend_pid <> pg_backend_pid() and exists (
              select from pg_stat_activity a
               where a.pid = backend_pid and a.datname = current_database()
                 and a.application_name like 'postgrest-operator%') as runs_elsewhere
       from pgrst_ledger.migrations where exposed_schema = $1 and name = $2`,
    key,
  );
  return row;
}

/** What has run must still be there; the rest may have been changed, which is how a failing statement is corrected. */
function refuseChange(row: Row, statements: readonly RunnableStatement[]): void {
  const { statements_done: done, done_checksum: checksum } = row;
  if (done === 0 || checksumOf(statements.slice(0, done)) === checksum) return;
  throw new StatementError(
    {
      message: `The first ${String(done)} statements of this migration have run already, outside of a transaction, and they are not the ones that stand there now: put them back as they were, and change only what comes after them`,
      statementsDone: done,
    },
    undefined,
  );
}

function checksumOf(statements: readonly RunnableStatement[]): string {
  const hash = createHash('sha256');
  for (const { text } of statements) hash.update(JSON.stringify(text.replaceAll('\r\n', '\n')));
  return hash.digest('hex');
}

function takenOver(name: string): RunFailure {
  return new RunFailure(
    'LockHeld',
    `Another runner has applied migration ${name} meanwhile, or is just doing so: the ledger tells the next attempt.`,
  );
}
