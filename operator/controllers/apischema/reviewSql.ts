import { createHash } from 'node:crypto';
import type { Ledger } from '../../database/ledger.ts';
import { problemSentence } from '../../database/problemSentence.ts';
import { lint } from '../../lint/lint.ts';
import type { LintFinding } from '../../lint/finding.ts';
import type { LintResult, LintSource } from '../../lint/source.ts';
import { checksumOf } from '../../migration/checksum.ts';
import type { RunnableStatement } from '../../migration/runnable.ts';
import type { ApplyContext, ApplyRequest } from './applyRequest.ts';
import type { Blocked, PendingSet } from './applyResult.ts';
import { apiBlocked, blocked, laneBlocked } from './blocked.ts';
import type { LaneEntry } from './lane.ts';

/** All SQL that has not run yet, read and judged. */
export interface Review {
  readonly kind: 'review';
  /** Statements of the pending migrations, by name. */
  readonly migrations: ReadonlyMap<string, readonly RunnableStatement[]>;
  readonly api: readonly RunnableStatement[];
  readonly tests?: readonly RunnableStatement[];
  readonly lint: LintResult;
}

/** Reads all SQL that has not run yet, before any of it runs; the first thing that is wrong with it blocks the run. */
export async function reviewSql(
  ledger: Ledger,
  request: ApplyRequest,
  context: ApplyContext,
): Promise<Review | Blocked> {
  // squawk is a process beside ours: it works while the statements are read.
  const unread = new AbortController();
  const linting = lintSql(ledger, request, context, AbortSignal.any([context.signal, unread.signal]));
  linting.catch(() => undefined);
  try {
    const read = await readSql(ledger, request, context);
    if (read.kind === 'blocked') return read;
    const result = await linting;
    if (!result.failed) return { ...read, kind: 'review', lint: result };
    const message = lintMessage(result, request);
    return { ...blocked(ledger, request, { reason: 'LintFailed', message }), lint: result };
  } finally {
    unread.abort();
  }
}

async function readSql(
  ledger: Ledger,
  request: ApplyRequest,
  { analyst }: ApplyContext,
): Promise<(Omit<Review, 'kind' | 'lint'> & { readonly kind: 'read' }) | Blocked> {
  const pending = request.migrations.slice(appliedCount(ledger, request));
  const read = await analyst.call(
    'readMigrations',
    pending.map(({ name, sql, idempotent = false }) => ({ name, sql, idempotent })),
  );
  const migrations = new Map<string, readonly RunnableStatement[]>();
  for (const [index, { name }] of pending.entries()) {
    const one = read[index];
    if (one === undefined) throw new Error(`migration ${name} was not read`);
    if (one.kind === 'problem') return laneBlocked(ledger, request, name, one.failure, one.reason);
    migrations.set(name, one.statements);
  }
  const api = await analyst.call('readApi', request.apiSql, request.exposedSchema);
  if (api.kind === 'problem') return apiBlocked(ledger, request, api.failure, api.reason);
  const tests = request.tests === undefined ? undefined : await analyst.call('testStatements', request.tests);
  if (tests?.kind === 'problem') {
    const { failure } = tests;
    return blocked(ledger, request, {
      reason: 'TestsFailed',
      message: problemSentence('spec.tests', failure),
      error: failure,
    });
  }
  return {
    kind: 'read',
    migrations,
    api: api.statements,
    ...(tests === undefined ? {} : { tests: tests.statements }),
  };
}

async function lintSql(
  ledger: Ledger,
  request: ApplyRequest,
  { analyst, squawk }: ApplyContext,
  signal: AbortSignal,
): Promise<LintResult> {
  const { exposedSchema, migrations, contractions } = request;
  const skipped = appliedCount(ledger, request);
  const sources: LintSource[] = [
    ...migrations.map((each, index) => lintSource('migration', each, index < skipped)),
    ...contractions.map((each, index) => lintSource('contraction', each, index < ledger.contractions.length)),
    { kind: 'api', name: 'api', sql: request.apiSql, ignore: [] },
  ];
  return await lint(
    sources,
    { schema: exposedSchema, ...request.lint },
    { inspect: (given, schema) => analyst.call('inspectSources', given, schema), squawk },
    signal,
  );
}

/** Names these migrations or contractions, with a hash of what they are. */
export function pendingSet(pending: readonly LaneEntry[]): PendingSet {
  const parts = pending.map((entry) => [entry.name, checksumOf(entry)]);
  return {
    hash: createHash('sha256').update(JSON.stringify(parts)).digest('hex'),
    names: pending.map(({ name }) => name),
  };
}

// A baseline is recorded, not run; it is not in the ledger yet when the SQL is read.
function appliedCount(ledger: Ledger, { baseline, migrations }: ApplyRequest): number {
  const recorded = migrations.findIndex(({ name }) => name === baseline) + 1;
  return Math.max(ledger.migrations.length, recorded);
}

function lintSource(kind: 'migration' | 'contraction', entry: LaneEntry, applied: boolean): LintSource {
  return { kind, name: entry.name, sql: entry.sql, ignore: entry.ignore ?? [], applied };
}

function lintMessage({ findings }: LintResult, { lint: { failOn } }: ApplyRequest): string {
  const counted = findings.filter(({ level }) => failOn === 'Warning' || level === 'error');
  const [first] = counted;
  const rest = counted.length - 1;
  return `${first === undefined ? '' : findingText(first)} Nothing was run.${rest > 0 ? ` status.findings has ${String(rest)} more.` : ''}`;
}

/** A finding as a sentence with its place. */
export function findingText({ rule, source, statement, line, message, fix }: LintFinding): string {
  return `${source}, statement ${String(statement)} at line ${String(line)} (${rule}): ${message} ${fix}`;
}
