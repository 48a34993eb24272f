import { describe, expect, it } from 'vitest';
import { parseMetrics, quantileBetween } from './prometheus.ts';

const scrape = (fast: number, slow: number) =>
  parseMetrics(`# HELP seconds How long
# TYPE seconds histogram
seconds_bucket{le="0.1",controller="a"} ${String(fast)}
seconds_bucket{le="1",controller="a"} ${String(fast + slow)}
seconds_bucket{le="+Inf",controller="a"} ${String(fast + slow)}
seconds_bucket{le="0.1",controller="b"} 1000
seconds_bucket{le="+Inf",controller="b"} 1000
seconds_count{controller="a"} ${String(fast + slow)}
`);
const p99 = (before: ReturnType<typeof scrape>, after: ReturnType<typeof scrape>) =>
  quantileBetween(before, after, 'seconds', 'controller="a"', 0.99);

describe('what a histogram counted between two scrapes', () => {
  it('is spread evenly within its bucket', () => {
    expect(p99(scrape(0, 0), scrape(0, 100))).toBeCloseTo(0.1 + 0.9 * 0.99);
  });

  it('leaves out what was counted before', () => {
    expect(p99(scrape(0, 500), scrape(100, 500))).toBeCloseTo(0.099);
  });

  it('is nothing when nothing was counted', () => {
    expect(p99(scrape(5, 5), scrape(5, 5))).toBeNaN();
  });
});
