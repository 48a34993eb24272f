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
