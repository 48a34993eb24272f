import { claim, readLedger, type Claimant } from '../database/ledger.ts';
import { takeLock } from '../database/lock.ts';
import { runMigration } from '../database/runMigration.ts';
import { openSession, type Session } from '../database/session.ts';
import type { Patience } from '../database/transaction.ts';
import type { Observation } from '../database/watcher.ts';
import { sqlChecksum } from '../migration/checksum.ts';
import { isStatementProblem, runnableStatements } from '../migration/classify.ts';
import { loadSqlParser } from '../migration/parser.ts';
import { isSplitProblem, splitSql } from '../migration/statements.ts';

/** A migration of a test. */
export interface TestMigration {
  readonly name: string;
  readonly sql: string;
  readonly idempotent?: boolean;
  readonly statementTimeoutMs?: number;
}

/** What a test may choose about a run. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
  readonly onRetry?: (attempt: number, cause: string) => void;
  readonly onObservation?: (seen: Observation) => void;
}

const claimant: Claimant = { namespace: 'shop', name: 'todo', clusterId: 'c', exposedSchema: 'api' };

/**
 * Runs those of the migrations that the ledger has not got, behind the lock, in a session of its own: the part of a run
 * that `runMigration` is for. Throws what that throws.
 */
export async function runMigrations(
  uri: string,
  migrations: readonly TestMigration[],
  options: RunOptions = {},
): Promise<void> {
  await loadSqlParser();
  const signal = options.signal ?? new AbortController().signal;
  const patience = options.patience ?? { lockTimeoutMs: 200, retryDelaysMs: [10, 10, 10] };
  const session = await openSession({
    uri,
    applicationName: 'postgrest-operator test',
    signal,
    lockTimeoutMs: patience.lockTimeoutMs,
  });
  try {
    await takeLock(session, () => undefined, signal);
    await claim(session, claimant, (await readLedger(session, claimant)).version);
    await runPending(session, migrations, { ...options, signal, patience });
  } finally {
    await session.close();
  }
}

async function runPending(
  session: Session,
  migrations: readonly TestMigration[],
  options: RunOptions & { readonly signal: AbortSignal; readonly patience: Patience },
): Promise<void> {
  const first = (await readLedger(session, claimant)).migrations.length;
  for (const [index, { name, sql, idempotent = false, statementTimeoutMs }] of migrations
    .slice(first)
    .entries()) {
    const split = splitSql(sql);
    if (isSplitProblem(split)) throw new Error(split.message);
    const statements = runnableStatements(split, { idempotent });
    if (isStatementProblem(statements)) throw new Error(statements.message);
    await runMigration(
      { session, onRetry: () => undefined, ...options },
      {
        exposedSchema: 'api',
        name,
        checksum: sqlChecksum(sql),
        position: first + index,
        statements,
        appliedBy: 'test',
        ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
      },
    );
  }
}
