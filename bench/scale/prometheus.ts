/** What a process told at one moment: values by their series, such as `workqueue_depth{name="apiinstance"}`. */
export type Scrape = ReadonlyMap<string, number>;

/** Reads the text that Prometheus scrapes. */
export function parseMetrics(text: string): Scrape {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/**
 * A quantile of what a histogram counted between two scrapes, over all its series with the label; NaN when it counted
 * nothing. Within a bucket the values are taken to be spread evenly, as Prometheus does.
 */
export function quantileBetween(
  before: Scrape,
  after: Scrape,
  histogram: string,
  label: string,
  q: number,
): number {
  const buckets = [...after]
    .filter(([series]) => series.startsWith(`${histogram}_bucket{`) && series.includes(label))
    .map(([series, count]) => ({
      le: Number((/le="([^"]+)"/.exec(series)?.[1] ?? '').replace('+Inf', 'Infinity')),
      count: count - (before.get(series) ?? 0),
    }))
    .sort((a, b) => a.le - b.le);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return NaN;
  const rank = q * total;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const { le = Infinity, count = total } = buckets[index] ?? {};
  const below = buckets[index - 1] ?? { le: 0, count: 0 };
  if (le === Infinity) return below.le;
  return below.le + ((le - below.le) * (rank - below.count)) / (count - below.count);
}
