import type { Summary } from '../../hack/load/sample.ts';
import { median, rounded } from '../statistics.ts';
import type { ConnectionsSeen } from './connections.ts';
import type { Leftovers } from './leftovers.ts';

/** What came of the cutovers. */
export interface Result {
  /** How long each took, from the change of the spec until the operator said Ready. */
  readonly seconds: readonly number[];
  /** `spec.pooler.maxServerConnections`. */
  readonly cap: number;
  readonly connections: ConnectionsSeen;
  /** What there was after the first five cutovers, and after all. */
  readonly before: Leftovers;
  readonly after: Leftovers;
  readonly summary: Summary;
}

/** The findings, and the JSON as the last line. */
export function report({ seconds, cap, connections, before, after, summary }: Result): string[] {
  // Of a kind of object that is fewer in the end nothing leaked.
  const leaked = Object.entries(after.objects)
    .map(([kind, count]) => [kind, count - (before.objects[kind] ?? 0)] as const)
    .filter(([, more]) => more > 0);
  const json = {
    cutovers: seconds.length,
    medianSeconds: rounded(median(seconds), 2),
    requests: summary.requests,
    failed: summary.failed,
    byFailure: summary.byFailure,
    p95Ms: summary.p95,
    maxMs: summary.max,
    connections: { cap, ...connections },
    leaked: Object.fromEntries(leaked),
    objects: after.objects,
    pools: { before: before.pools, after: after.pools },
    rssMb: { before: rounded(before.rssMb, 1), after: rounded(after.rssMb, 1) },
  };
  return [
    '',
    `${String(seconds.length)} cutovers, ${String(json.medianSeconds)} s each (median)`,
    `${String(summary.requests)} requests, ${String(summary.failed)} failed, slowest ${String(summary.max)} ms`,
    `at most ${String(connections.most)} of ${String(cap)} server connections (${connections.from}) in ${String(connections.looks)} looks, more than that in ${String(connections.over)}`,
    `objects at the end: ${Object.entries(after.objects)
      .map(([kind, count]) => `${String(count)} ${kind}`)
      .join(', ')}`,
    `pools of one PgBouncer: ${String(before.pools)}, at the end ${String(after.pools)}`,
    `the operator: ${String(json.rssMb.before)} MiB, at the end ${String(json.rssMb.after)} MiB`,
    JSON.stringify(json),
  ];
}
