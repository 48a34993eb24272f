import { withoutBom } from '../migration/textProblem.ts';
import type { LintFinding } from './finding.ts';
import type { Inspection } from './inspect.ts';
import type { LintOptions, LintResult, LintSource } from './source.ts';
import type { Squawk } from './squawk.ts';
import { squawkFindings } from './squawkLane.ts';

/** What the lint needs from outside. */
export interface LintDependencies {
  /** `inspectSources`, in whatever thread. */
  readonly inspect: (sources: readonly LintSource[], schema: string) => Inspection | Promise<Inspection>;
  readonly squawk: Squawk;
}

/**
 * Judges everything of an ApiSchema that has not run yet: squawk's rules and ours. The sources are in the order in which
 * they run: migrations, contractions, API SQL. Rejects when squawk cannot be run or the signal is aborted.
 */
export async function lint(
  given: readonly LintSource[],
  options: LintOptions,
  { inspect, squawk }: LintDependencies,
  signal: AbortSignal,
): Promise<LintResult> {
  const sources = given.map((source) => ({ ...source, sql: withoutBom(source.sql) }));
  const inspection = await inspect(sources, options.schema);
  const theirs = await squawkFindings(sources, inspection.places, squawk, signal);
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const all = [...inspection.findings, ...theirs].sort(
    (a, b) =>
      (order.get(a.source) ?? 0) - (order.get(b.source) ?? 0) || a.statement - b.statement || a.line - b.line,
  );
  const ignored = new Set(options.ignore.map(({ rule }) => rule));
  const ignoredIn = new Set(
    sources.flatMap(({ name, ignore }, index) =>
      [...ignore, ...(inspection.ignores[index] ?? [])].map(({ rule }) => `${name} ${rule}`),
    ),
  );
  const findings = all.filter(
    ({ rule, source }) => !ignored.has(rule) && !ignoredIn.has(`${source} ${rule}`),
  );
  return {
    findings,
    ignored: all.length - findings.length,
    failed: findings.some((finding) => reaches(finding, options.failOn)),
  };
}

function reaches({ level }: LintFinding, failOn: LintOptions['failOn']): boolean {
  return level === 'error' || failOn === 'Warning';
}
