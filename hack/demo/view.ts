import { summarise, type Sample } from '../load/sample.ts';

/** What an ApiInstance's status says, as far as the demo shows it; every field is absent until the operator has set it. */
export interface InstanceView {
  readonly stable?: { readonly revision: number };
  readonly candidate?: { readonly revision: number };
  readonly traffic?: { readonly revision: number; readonly weight: number; readonly provedWeight?: number };
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

/** Pods of one revision. */
export interface PodCount {
  readonly revision: string;
  readonly ready: number;
  readonly total: number;
}

/** One moment of the demo: everything that the display draws. */
export interface View {
  /** What the demo does right now. */
  readonly title: string;
  /** Since the demo began to send requests. */
  readonly seconds: number;
  /** While a rollout runs: percent of the traffic that the ingress was asked for, and what of it has been proved. */
  readonly weight?: { readonly revision: string; readonly asked: number; readonly proved?: number };
  /** Responses of the last second, by revision, in the order of the revisions. */
  readonly answering: readonly { readonly revision: string; readonly perSecond: number }[];
  readonly pods: readonly PodCount[];
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds, over the last ten seconds. */
  readonly p50: number;
  readonly p95: number;
  /** The reason of the condition Ready, and its sentence. */
  readonly reason: string;
  readonly message: string;
}

/** What the running totals over all samples are; kept up to date by the caller so that no redraw adds up everything. */
export interface Totals {
  readonly requests: number;
  readonly failed: number;
}

/** Puts one moment together. `recent` are the samples of at least the last ten seconds; `now` is epoch milliseconds. */
export function viewOf(input: {
  readonly title: string;
  readonly startedAt: number;
  readonly now: number;
  readonly instance: InstanceView;
  readonly pods: readonly PodCount[];
  readonly recent: readonly Sample[];
  readonly totals: Totals;
}): View {
  const { instance, now } = input;
  const lastSecond = summarise(input.recent.filter((sample) => sample.endedAt > now - 1000)).byRevision;
  const lastTenSeconds = summarise(input.recent.filter((sample) => sample.endedAt > now - 10_000));
  const ready = instance.conditions?.find((condition) => condition.type === 'Ready');
  return {
    title: input.title,
    seconds: (now - input.startedAt) / 1000,
    // At rest the canary stays behind with weight 0, which says nothing about who serves.
    ...(instance.traffic &&
      (instance.candidate ?? instance.traffic.weight > 0) && {
        weight: {
          revision: String(instance.traffic.revision),
          asked: instance.traffic.weight,
          ...(instance.traffic.provedWeight !== undefined && { proved: instance.traffic.provedWeight }),
        },
      }),
    answering: Object.entries(lastSecond).map(([revision, perSecond]) => ({ revision, perSecond })),
    pods: input.pods,
    ...input.totals,
    p50: lastTenSeconds.p50,
    p95: lastTenSeconds.p95,
    reason: ready?.reason ?? 'none yet',
    message: ready?.message ?? '',
  };
}

/** A pod, as far as it is counted. */
export interface PodView {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Counts pods by the revision that their label names. */
export function countPods(pods: Iterable<PodView>): PodCount[] {
  const counts = new Map<string, { ready: number; total: number }>();
  for (const { metadata, status } of pods) {
    const revision = metadata.labels?.['pgrst.dev/revision'];
    if (revision === undefined || metadata.deletionTimestamp !== undefined) continue;
    const count = counts.get(revision) ?? { ready: 0, total: 0 };
    count.total++;
    if (status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'))
      count.ready++;
    counts.set(revision, count);
  }
  return [...counts]
    .map(([revision, count]) => ({ revision, ...count }))
    .sort((left, right) => Number(left.revision) - Number(right.revision));
}
