import { expect, test } from 'vitest';
import { names, type Name } from './contenders.ts';
import { endpoints } from './endpoints.ts';
import { report, type Sample } from './report.ts';
import type { Figures } from './wrk.ts';

const figures = (perSecond: number, errors = 0): Figures => ({
  ...{ requests: perSecond, errors, perSecond },
  ...{ p50: 1, p95: 2, p99: 3, cpuMs: 1000 / perSecond },
});

/** Everybody has 1,000 requests/s, but for these; rounds in which the machine is half as fast change no ratio. */
function samples(perSecond: Partial<Record<Name, number>>): Sample[] {
  return [1, 0.5, 1].flatMap((speed, round) =>
    endpoints.flatMap((endpoint) =>
      names.map((name) => ({ round, endpoint, name, figures: figures(speed * (perSecond[name] ?? 1000)) })),
    ),
  );
}

const lastLine = (results: Parameters<typeof report>[0]) =>
  JSON.parse(report(results).at(-1) ?? '') as Record<string, unknown>;

test('the ratios are those within a round, over all endpoints, and over the reads beside FastAPI', () => {
  const own = samples({ 'default pod': 600, 'FastAPI, same': 400 }).map((sample) =>
    sample.name === 'FastAPI, same' && !sample.endpoint.isRead ? { ...sample, figures: figures(1) } : sample,
  );
  expect(lastLine({ samples: own, refused: {}, capped: [] })).toMatchObject({
    ours: { ratioToDirect: 0.6, ratioToFastapi: 1.5, ratioToPlainFastapi: 0.6, cpuRatioToDirect: 0.6 },
    errors: 0,
  });
});

test('every error counts, whoever made it', () => {
  const [first, ...others] = samples({});
  if (first === undefined) throw new Error('no samples');
  const capped = [{ workload: 'reads', pooled: [figures(300, 4)], direct: [figures(200, 1)] }];
  const json = lastLine({
    samples: [{ ...first, figures: figures(1000, 2) }, ...others],
    refused: { PostgREST: { right: 40 } },
    capped,
  });
  expect(json).toMatchObject({ errors: 7, refused: { PostgREST: { right: 40 } } });
  expect(json['capped']).toMatchObject([{ workload: 'reads', ratioToDirect: 1.5 }]);
});
