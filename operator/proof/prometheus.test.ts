import { afterEach, describe, expect, test } from 'vitest';
import { startLoopbackServer, type LoopbackServer } from '../testing/loopback.ts';
import { fillQuery, queryPrometheus } from './prometheus.ts';

const { signal } = new AbortController();
let server: LoopbackServer | undefined;
afterEach(() => server?.close());

const vector = (...values: string[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  });

async function ask(status: number, body: string, query = 'up'): Promise<unknown> {
  server = await startLoopbackServer((_, response) => {
    response.writeHead(status).end(body);
  });
  return queryPrometheus(`http://127.0.0.1:${server.port}/prefix/`, query, signal);
}

describe('asking a Prometheus', () => {
  test.each([
    ['one sample is its number', vector('0.25'), { value: 0.25 }],
    ['a scalar is a number', '{"data":{"resultType":"scalar","result":[1,"3"]}}', { value: 3 }],
    ['exponents are numbers', vector('1.5e-05'), { value: 0.000015 }],
    ['infinity is a number', vector('+Inf'), { value: Infinity }],
    ['so is the other one', vector('-Inf'), { value: -Infinity }],
    ['NaN is none', vector('NaN'), { problem: 'gives NaN' }],
    ['no sample is none', vector(), { problem: 'gives no number' }],
    ['several samples are none', vector('1', '2', '3'), { problem: 'gives 3 numbers instead of one' }],
  ])('%s', async (_, body, answer) => {
    expect(await ask(200, body)).toEqual(answer);
  });

  test.each([
    ['a page that is not its', 200, '<html>', 'its answer is no JSON'],
    ['JSON that is not its', 200, 'null', 'its answer is no vector'],
    ['a range of samples', 200, '{"data":{"resultType":"matrix","result":[]}}', 'its answer is no vector'],
    [
      'a query that it does not understand',
      400,
      '{"status":"error"}',
      'it answered 400: the query is not PromQL',
    ],
    ['a failure', 503, '', 'it answered 503'],
    ['an answer without end', 200, 'x'.repeat(1_100_000), 'its answer is larger than 1 MB'],
  ])('%s is an error', async (_, status, body, message) => {
    await expect(ask(status, body)).rejects.toThrow(message);
  });

  test('the query is sent below the address as it is, by GET', async () => {
    await ask(200, vector('1'), 'sum(rate(a{b="c & d"}[1m])) > 0');
    const [ip, method, path = ''] = (server?.requests[0] ?? '').split(' ');
    expect([ip, method]).toEqual(['127.0.0.1', 'GET']);
    const url = new URL(path, 'http://prometheus');
    expect(url.pathname).toBe('/prefix/api/v1/query');
    expect(url.searchParams.get('query')).toBe('sum(rate(a{b="c & d"}[1m])) > 0');
  });
});

test('the names of the rollout are filled in, and braces of PromQL stay', () => {
  const query =
    'sum(x{namespace="{{namespace}}",i=~"{{ instance }}.*",revision="{{revision}}"}) / y{r="{{stable}}",z="{{z}}"}';
  const names = { namespace: 'tasks', instance: 'todo', revision: 7, stable: 6 };
  expect(fillQuery(query, names)).toBe(
    'sum(x{namespace="tasks",i=~"todo.*",revision="7"}) / y{r="6",z="{{z}}"}',
  );
});
