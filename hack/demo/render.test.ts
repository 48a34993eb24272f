import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { count, lineKey, renderLine, renderPanel } from './render.ts';
import type { View } from './view.ts';

const view: View = {
  title: 'Releasing version 2',
  seconds: 65.4,
  weight: { revision: '2', asked: 50, proved: 10 },
  answering: [
    { revision: '1', perSecond: 90 },
    { revision: '2', perSecond: 10 },
  ],
  pods: [
    { revision: '1', ready: 2, total: 2 },
    { revision: '2', ready: 1, total: 2 },
  ],
  requests: 6210,
  failed: 0,
  p50: 4.4,
  p95: 11,
  reason: 'ProvingTraffic',
  message: 'asking every ingress pod for the revision that answers',
};

test('the panel shows weight, answers, pods, clients and the reason', () => {
  expect(renderPanel(view, { columns: 80, color: false })).toEqual([
    '▸ Releasing version 2                                                     01:05',
    '  asked for  r2     ███████████████░░░░░░░░░░░░░░░  50 %  proved so far: 10 %',
    '  answers    r1     ███████████████████████████░░░  90 %  90/s',
    '             r2     ███░░░░░░░░░░░░░░░░░░░░░░░░░░░  10 %  10/s',
    '  pods       r1 2/2 ready   r2 1/2 ready',
    '  clients    6,210 requests   0 failed   p50 4 ms   p95 11 ms',
    '  status     ProvingTraffic: asking every ingress pod for the revision that an…',
  ]);
});

test('colours change nothing but the colours', () => {
  const plain = renderPanel(view, { columns: 100, color: false });
  const colored = renderPanel(view, { columns: 100, color: true });
  expect(colored.map((line) => stripVTControlCharacters(line))).toEqual(plain);
  expect(colored.join('')).toContain('\x1b[');
  expect(plain.join('')).not.toContain('\x1b[');
});

test.each([40, 60, 80, 120, 200])('no line is wider than a terminal of %i columns', (columns) => {
  for (const line of renderPanel(view, { columns, color: true }))
    expect(stripVTControlCharacters(line).length).toBeLessThan(columns);
});

test('a failed request stands out in red', () => {
  const lines = renderPanel({ ...view, failed: 3 }, { columns: 100, color: true });
  expect(lines.join('\n')).toContain('\x1b[31m3 failed\x1b[0m');
});

test('before anything answers the panel says so', () => {
  const { weight: _, ...rest } = view;
  const lines = renderPanel({ ...rest, answering: [], pods: [] }, { columns: 80, color: false });
  expect(lines.slice(1, 4)).toEqual([
    '  asked for  nothing: no rollout runs',
    '  answers    none in the last second',
    '  pods       none',
  ]);
});

test('without a terminal a moment is one line', () => {
  expect(renderLine(view)).toBe(
    '01:05 | asked r2 50 % (proved so far: 10 %) | answers r1 90 % r2 10 % | pods r1 2/2 r2 1/2 | ' +
      '6,210 requests, 0 failed, p95 11 ms | ProvingTraffic',
  );
});

test('a new line is due when something happened, not when only numbers moved', () => {
  expect(lineKey({ ...view, seconds: 99, requests: 9000, p95: 40, answering: [] })).toBe(lineKey(view));
  expect(lineKey({ ...view, failed: 1 })).not.toBe(lineKey(view));
  expect(lineKey({ ...view, weight: { revision: '2', asked: 50, proved: 50 } })).not.toBe(lineKey(view));
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
])('%i is written %s', (value, text) => {
  expect(count(value)).toBe(text);
});
