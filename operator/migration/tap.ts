import { unwrap } from './parseTree.ts';
import type { RunnableStatement } from './runnable.ts';
import { isSplitProblem, splitSql, type SplitProblem, type SqlStatement } from './statements.ts';

/** pgTAP tests as a build runs them, or why they cannot be run. */
export type ReadTests =
  | { readonly kind: 'statements'; readonly statements: readonly RunnableStatement[] }
  | { readonly kind: 'problem'; readonly failure: SplitProblem & { readonly sqlstate?: string } };

const block = 'pgrst_test_block';

/**
 * Reads tests that were written for psql or pg_prove. They run inside the transaction of the build, so BEGIN becomes a
 * savepoint, ROLLBACK goes back to it and COMMIT lets go of it: several files in one text do not see each other. psql's
 * own `\set`, `\unset`, `\pset` and `\timing`, with which many pgTAP files begin, mean nothing here and are left out.
 * Needs `loadSqlParser`.
 */
export function testStatements(sql: string): ReadTests {
  const statements = splitSql(sql.replace(/^\\(?:set|unset|pset|timing)\b.*$/gm, ''));
  if (isSplitProblem(statements)) return { kind: 'problem', failure: { ...statements, sqlstate: '42601' } };
  const runnable: RunnableStatement[] = [];
  let isOpen = false;
  for (const { number, line, text, node } of statements) {
    const control = controlOf(node);
    if (control === 'twoPhase')
      return {
        kind: 'problem',
        failure: {
          statement: number,
          line,
          message:
            'Tests run inside the transaction of the build, which must not be prepared for a later commit',
        },
      };
    // PostgreSQL, too, only warns of a BEGIN in a transaction and of a COMMIT or ROLLBACK outside of one.
    const isIdle = control === 'begin' ? isOpen : control !== undefined && !isOpen;
    if (isIdle) continue;
    if (control !== undefined) isOpen = control === 'begin';
    runnable.push({ number, line, text: control === undefined ? text : controlText[control] });
  }
  return { kind: 'statements', statements: runnable };
}

type Control = 'begin' | 'commit' | 'rollback';

const controlText: Readonly<Record<Control, string>> = {
  begin: `savepoint ${block}`,
  commit: `release savepoint ${block}`,
  rollback: `rollback to savepoint ${block}`,
};

function controlOf(node: SqlStatement['node']): Control | 'twoPhase' | undefined {
  const { type, body } = unwrap(node);
  if (type !== 'TransactionStmt') return undefined;
  switch (body['kind']) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return 'begin';
    case 'TRANS_STMT_COMMIT':
      return 'commit';
    case 'TRANS_STMT_ROLLBACK':
      return 'rollback';
    case 'TRANS_STMT_PREPARE':
    case 'TRANS_STMT_COMMIT_PREPARED':
    case 'TRANS_STMT_ROLLBACK_PREPARED':
      return 'twoPhase';
    default:
      return undefined;
  }
}

/** What the output of tests says. */
export interface TapVerdict {
  /** Tests that passed, were skipped, or are marked TODO. */
  readonly passed: number;
  /** Tests that failed, and whatever else must not be: a broken plan, a bail out, an error, no tests at all. */
  readonly failed: number;
  /** What failed, the newest first: at most 50 lines of at most 500 characters. */
  readonly lines: readonly string[];
}

const maxLines = 50;
const maxLength = 500;

/**
 * Judges TAP (https://testanything.org): lines of one or more files, each with its own plan, and the error that ended
 * them early, as one line. Indented lines belong to the test after them (subtests of `runtests()`), `#` lines to the
 * test before them; what is not TAP is passed over.
 */
export function judgeTap(output: readonly string[], error?: string): TapVerdict {
  const failures: string[][] = [];
  let passed = 0;
  let file = newFile();
  let inner: string[] = [];
  let last: string[] | undefined;
  const fail = (...lines: string[]): void => {
    last = lines;
    failures.push(last);
  };
  const endFile = (): void => {
    const problem = planProblem(file);
    if (problem !== undefined) fail(problem);
    file = newFile();
  };

  for (const line of output) {
    const test = /^(not )?ok\b\s*(\d*)/.exec(line);
    const plan = /^1\.\.(\d+)/.exec(line);
    if (plan !== null) {
      if (file.planned !== undefined) endFile();
      file.planned = Number(plan[1]);
    } else if (test !== null) {
      if (test[2] === '1' && file.run > 0) endFile();
      file.run += 1;
      last = undefined;
      if (test[1] === undefined || /(?<!\\)#\s*(?:todo|skip)\b/i.test(line)) passed += 1;
      else fail(...inner, line);
      inner = [];
    } else if (/^bail out!/i.test(line)) {
      fail(line);
    } else if (/^\s+(?:not ok\b|#)/.test(line)) {
      inner.push(line);
    } else if (line.startsWith('#')) {
      last?.push(line);
    }
  }
  if (error === undefined) endFile();
  else fail(error);
  if (failures.length === 0 && passed === 0 && !output.some((line) => line.startsWith('1..0')))
    fail('No test ran: the tests give no line of TAP, such as those of select * from finish().');
  return {
    passed,
    failed: failures.length,
    lines: failures
      .reverse()
      .flat()
      .slice(0, maxLines)
      .map((line) => line.slice(0, maxLength)),
  };
}

interface TapFile {
  planned: number | undefined;
  run: number;
}

function newFile(): TapFile {
  return { planned: undefined, run: 0 };
}

function planProblem({ planned, run }: TapFile): string | undefined {
  if (planned === run || (planned === undefined && run === 0)) return undefined;
  return planned === undefined
    ? `The tests end without a plan after ${String(run)}: they call neither plan() nor finish().`
    : `The plan says ${String(planned)} tests, and ${String(run)} ran.`;
}
