/** What a gate has counted since it started, or what some gates have counted in some time. */
export interface GateCounters {
  /** Requests that were answered. */
  readonly requests: number;
  /** Those of them that were answered with 5xx. */
  readonly errors: number;
  /** Requests that took no longer than a bound in seconds, by bound; the bound Infinity has all of them. */
  readonly within: ReadonlyMap<number, number>;
}

/** Nothing counted yet. */
export const noCounters: GateCounters = { requests: 0, errors: 0, within: new Map() };

const series = /^(pgrst_gate_[a-z_]+)\{([^}]*)\} ([0-9.e+]+)$/;

/**
 * Reads a gate's /metrics (Prometheus' text format, as operator/resources/gateScript.ts writes it); undefined for what
 * is not a gate's. A gate without requests has a histogram of zeros and no counter by status yet.
 */
export function readGateMetrics(text: string): GateCounters | undefined {
  let requests = 0;
  let errors = 0;
  const within = new Map<number, number>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = series.exec(line) ?? [];
    const count = Number(value);
    if (name === 'pgrst_gate_requests_total') {
      requests += count;
      if (labels.includes('code="5')) errors += count;
    } else if (name === 'pgrst_gate_request_duration_seconds_bucket') {
      const bound = /le="([^"]+)"/.exec(labels)?.[1];
      within.set(bound === '+Inf' ? Infinity : Number(bound), count);
    }
  }
  return within.has(Infinity) ? { requests, errors, within } : undefined;
}

/**
 * What a gate has counted between two readings; never negative. A counter that shrinks tells of a restart, and then all
 * that the gate says now was counted since.
 */
export function increase(before: GateCounters, now: GateCounters): GateCounters {
  const grown = combine(now, before, (a, b) => a - b);
  const hasRestarted = [grown.requests, grown.errors, ...grown.within.values()].some((each) => each < 0);
  return hasRestarted ? now : grown;
}

/** What two gates have counted together. */
export function plus(a: GateCounters, b: GateCounters): GateCounters {
  return combine(a, b, (one, other) => one + other);
}

function combine(a: GateCounters, b: GateCounters, by: (a: number, b: number) => number): GateCounters {
  const bounds = new Set([...a.within.keys(), ...b.within.keys()]);
  return {
    requests: by(a.requests, b.requests),
    errors: by(a.errors, b.errors),
    within: new Map(
      [...bounds].map((bound) => [bound, by(a.within.get(bound) ?? 0, b.within.get(bound) ?? 0)]),
    ),
  };
}

/**
 * Seconds that a share of the requests (such as 0.95) did not exceed: linear inside the bucket, as Prometheus'
 * histogram_quantile does it. Infinity where it lies beyond the last bound, undefined without requests.
 */
export function quantile(share: number, { within }: GateCounters): number | undefined {
  const buckets = [...within].sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = share * total;
  let [lower, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank) return lower + (bound - lower) * ((rank - below) / (count - below));
    [lower, below] = [bound, count];
  }
  return Infinity;
}

/** The newest so much of what is counted. */
export interface CounterWindow {
  /** Takes what has been counted in all until `atMs`, and says what of it lies in the window. */
  add(atMs: number, total: GateCounters): GateCounters;
}

/** How finely a window slides: by a 60th of its length, so that a long one needs no more memory than a short one. */
const slices = 60;

/** A window of `lengthMs` that ends with the last reading; it reaches back by up to a 60th, or a reading, more. */
export function createCounterWindow(lengthMs: number): CounterWindow {
  const samples: { readonly atMs: number; readonly total: GateCounters }[] = [];
  return {
    add: (atMs, total) => {
      const last = samples.at(-1);
      if (last === undefined || atMs - last.atMs >= lengthMs / slices) samples.push({ atMs, total });
      while (samples[1] !== undefined && samples[1].atMs <= atMs - lengthMs) samples.shift();
      return increase(samples[0]?.total ?? total, total);
    },
  };
}
