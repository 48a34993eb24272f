/** One finished request, as the client saw it. Times are epoch milliseconds of the client's clock. */
export interface Sample {
  /** When the request was due. The client is open-loop: it is due whether or not the one before has been answered. */
  readonly dueAt: number;
  /** When the last byte of the response was there, or when the request failed. */
  readonly endedAt: number;
  /** HTTP status; 0 when there was no complete response. */
  readonly status: number;
  /** Value of X-Pgrst-Revision; empty when the response had none. */
  readonly revision: string;
  /** Whether the request was sent over a kept-alive connection or over one of its own. */
  readonly keepAlive: boolean;
  /** `GET /tasks`, for the report of a failure. */
  readonly request: string;
  /** Why there is no usable response, such as ECONNRESET or `no answer within 4900 ms`; absent for a complete response. */
  readonly error?: string;
  /** The ingress replica that answered, where the ingress says so (hack/cluster/manifests/ingressNginx.ts). */
  readonly ingress?: string;
  /** The pods that the ingress asked for it, as `10.244.0.9:3000, 10.244.0.7:3000`; `-` where it asked none. */
  readonly upstream?: string;
}

/** The service objective of the journeys: anything but a complete 2xx in time is a failed request. */
export function failed(sample: Sample): boolean {
  return sample.error !== undefined || sample.status < 200 || sample.status > 299;
}

/** The samples that began and ended inside [from, to], in epoch milliseconds; `to` defaults to the end of time. */
export function within(samples: readonly Sample[], from: number, to = Infinity): Sample[] {
  return samples.filter((sample) => sample.dueAt >= from && sample.endedAt <= to);
}

/** How many of the samples came from each revision; failed ones without a revision header count as `none`. */
export function countByRevision(samples: readonly Sample[]): Record<string, number> {
  return countBy(samples, (sample) => sample.revision || 'none');
}

/** What a set of samples comes to. Latencies are milliseconds from when the request was due. */
export interface Summary {
  readonly requests: number;
  readonly failed: number;
  readonly keepAlive: number;
  readonly ownConnection: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byRevision: Readonly<Record<string, number>>;
  /** Failed requests by what went wrong, such as `GET /tasks: 503`. */
  readonly byFailure: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** Adds the samples up. An empty set gives zeros. */
export function summarise(samples: readonly Sample[]): Summary {
  const latencies = samples
    .map((sample) => sample.endedAt - sample.dueAt)
    .sort((left, right) => left - right);
  const failures = samples.filter(failed);
  const keepAlive = samples.filter((sample) => sample.keepAlive).length;
  return {
    requests: samples.length,
    failed: failures.length,
    keepAlive,
    ownConnection: samples.length - keepAlive,
    byStatus: countBy(samples, (sample) => String(sample.status)),
    byRevision: countByRevision(samples),
    byFailure: countBy(failures, (sample) => `${sample.request}: ${sample.error ?? String(sample.status)}`),
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    max: latencies.at(-1) ?? 0,
  };
}

/**
 * The moment from which on every response came from `revision`, in epoch milliseconds: the end of its first response
 * after the last response of anything else. Undefined while the last response is not from `revision`.
 */
export function settledAt(samples: readonly Sample[], revision: string): number | undefined {
  const inOrder = samples.toSorted((left, right) => left.endedAt - right.endedAt);
  const lastOther = inOrder.findLastIndex((sample) => sample.revision !== revision);
  return inOrder[lastOther + 1]?.endedAt;
}

function countBy(samples: readonly Sample[], key: (sample: Sample) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const sample of samples) {
    const name = key(sample);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
