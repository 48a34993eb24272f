import type { RunnableStatement, Solo } from '../migration/runnable.ts';
import { progressRow } from './progressRow.ts';
import { runAlone, type AloneStatement } from './runAlone.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { isFinal, runScript, StatementError } from './runStatements.ts';
import { inTransaction, retrying, type TransactionContext } from './transaction.ts';

/**
 * Runs a migration some of whose statements PostgreSQL refuses in a transaction, or the rest of it. What stands between
 * two of them is one transaction, with the progress in the ledger as part of it. Each of them runs alone, between a write
 * that says so and one that says it is done; one that was begun and may have been done is judged by the catalog.
 *
 * Guarantees: at whatever point the runner or its connection dies, the next call goes on, and each statement takes effect
 * once (as often as needed, when its author said that it may). SET of an earlier statement is in force again.
 * A statement that fails for good leaves what was done before it; `statementsDone` of the failure says how much.
 */
export async function runInPieces(context: TransactionContext, migration: MigrationToRun): Promise<void> {
  const row = progressRow(context.session, migration);
  const { done, begun } = await retrying(context, () => row.take());
  const { statements, statementTimeoutMs } = migration;
  let from = done;
  try {
    for (const piece of cut(statements.slice(done))) {
      context.signal.throwIfAborted();
      const settings = statements.slice(0, from).flatMap(({ isSetting, text }) => (isSetting ? [text] : []));
      const job = { context, row, from, settings, statementTimeoutMs };
      if ('solo' in piece) await runAlone({ ...job, ...piece, isBegun: begun === from + 1 });
      else await runTogether(job, piece.statements);
      from += 'solo' in piece ? 1 : piece.statements.length;
    }
  } catch (error) {
    if (error instanceof StatementError && from > 0)
      throw new StatementError({ ...error.failure, statementsDone: from }, error.cause);
    throw error;
  }
  await retrying(context, () => row.finish());
}

type Cut =
  | { readonly statements: readonly RunnableStatement[] }
  | { readonly statement: RunnableStatement; readonly solo: Solo };

function cut(statements: readonly RunnableStatement[]): readonly Cut[] {
  const pieces: Cut[] = [];
  let together: RunnableStatement[] = [];
  for (const statement of statements) {
    if (statement.solo === undefined) {
      if (together.length === 0) pieces.push({ statements: together });
      together.push(statement);
    } else {
      pieces.push({ statement, solo: statement.solo });
      together = [];
    }
  }
  return pieces;
}

async function runTogether(
  piece: Omit<AloneStatement, 'statement' | 'solo' | 'isBegun'>,
  statements: readonly RunnableStatement[],
): Promise<void> {
  const { context, row, from, settings, statementTimeoutMs } = piece;
  try {
    await inTransaction(context, async () => {
      await row.advance(from, from + statements.length);
      await runScript(context.session, { before: [], settings, statements, after: [], statementTimeoutMs });
      return { value: undefined, end: 'commit' };
    });
  } catch (error) {
    if (isFinal(error)) await row.giveUp(from);
    throw error;
  }
}
