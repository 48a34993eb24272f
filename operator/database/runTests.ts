import type { RunnableStatement } from '../migration/runnable.ts';
import type { TapVerdict } from '../migration/tapVerdict.ts';
import { failureAt, type StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import { errorKind } from './sqlError.ts';

/** The tests of a build. */
export interface BuildTests {
  /** `testStatements` of migration/tap.ts. */
  readonly statements: readonly RunnableStatement[];
  /** `judgeTap` of migration/tapVerdict.ts. */
  readonly judge: (output: readonly string[], error?: string) => TapVerdict;
}

/**
 * Runs tests inside the open transaction, as psql would, and takes back everything that they did. An error of a test ends
 * them and counts as a failure, with its place; contention and a lost connection are thrown, because they say nothing
 * about the build. Afterwards the session has our own settings.
 */
export async function runTests(session: Session, tests: BuildTests): Promise<TapVerdict> {
  await session.query('savepoint pgrst_tests');
  await session.userSettings();
  const output: string[] = [];
  let failure: StatementFailure | undefined;
  for (const statement of tests.statements) {
    try {
      const rows = await session.query<Record<string, unknown>>(statement.text);
      for (const row of rows) output.push(...Object.values(row).flatMap((value) => linesOf(value)));
    } catch (error) {
      if (errorKind(error) !== 'permanent') throw error;
      failure = failureAt(error, statement);
      break;
    }
  }
  await session.query('rollback to savepoint pgrst_tests; release savepoint pgrst_tests');
  await session.ownSettings();
  if (failure === undefined) return tests.judge(output);
  const missing = output.length === 0 ? await missingPgtap(session, failure) : undefined;
  return tests.judge(output, missing ?? sentenceOf(failure));
}

function linesOf(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split('\n') : [];
}

function sentenceOf({ statement = 0, line = 0, sqlstate = '', message }: StatementFailure): string {
  return `Statement ${String(statement)} of the tests, at line ${String(line)}, failed (SQLSTATE ${sqlstate}): ${message}`;
}

/** undefined_function, before the first line of TAP: most likely it is pgTAP that is not there. */
async function missingPgtap(session: Session, failure: StatementFailure): Promise<string | undefined> {
  if (failure.sqlstate !== '42883') return undefined;
  const [found] = await session.query<{ schema: string }>(
    `select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pgtap'`,
  );
  if (found === undefined)
    return `The tests need pgTAP, and this database has not got it: add a migration with create extension if not exists pgtap. ${sentenceOf(failure)}`;
  return `pgTAP is in schema ${found.schema}: has the role of the operator that schema on its search_path, or do the tests set it? ${sentenceOf(failure)}`;
}
