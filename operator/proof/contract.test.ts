import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startLoopbackServer, type LoopbackServer } from '../testing/loopback.ts';
import { compareContracts, type ContractResult } from './contract.ts';

const [stable, candidate] = ['127.0.0.1', '127.0.0.2'];
let answers: Map<string, { status: number; body: string }>;
let heard: string[];
let server: LoopbackServer;

beforeEach(async () => {
  answers = new Map();
  heard = [];
  server = await startLoopbackServer(({ method, url, headers }, response, ip) => {
    const { host = '', accept = '', authorization = 'no token' } = headers;
    heard.push([ip, method, url, host, accept, authorization].join(' '));
    const { status, body } = answers.get(ip) ?? { status: 502, body: '' };
    response.writeHead(status).end(body);
  });
});
afterEach(() => server.close());

function document(...relations: readonly string[]): { status: number; body: string } {
  const definitions = Object.fromEntries(relations.map((name) => [name, { properties: {} }]));
  return { status: 200, body: JSON.stringify({ swagger: '2.0', paths: {}, definitions }) };
}

function compare(): Promise<ContractResult> {
  const side = (ip: string) => ({ ip, port: server.port, host: 'tasks.example.test', prefix: '/todo' });
  const context = { signal: new AbortController().signal, progress: () => undefined };
  return compareContracts({ stable: side(stable), candidate: side(candidate) }, context);
}

describe('comparing contracts', () => {
  test('asks both for their OpenAPI document, below the prefix and without a token', async () => {
    answers.set(stable, document('tasks', 'people')).set(candidate, document('tasks'));
    expect(await compare()).toEqual({ total: 1, changes: ['View people is gone.'] });
    expect(heard.sort()).toEqual([
      `${stable} GET /todo/ tasks.example.test application/openapi+json no token`,
      `${candidate} GET /todo/ tasks.example.test application/openapi+json no token`,
    ]);
  });

  test('tells of no change where nothing is taken away', async () => {
    answers.set(stable, document('tasks')).set(candidate, document('tasks', 'people'));
    expect(await compare()).toEqual({ total: 0, changes: [] });
  });

  test('tells of all changes by their number, and of twenty in short sentences', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `t${n}${'x'.repeat(300)}`);
    answers.set(stable, document(...names)).set(candidate, document());
    const result = await compare();
    if (!('changes' in result)) throw new Error(result.unknown);
    expect(result.total).toBe(25);
    expect(result.changes.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, () => 256));
  });

  test.each([
    [
      'a token is asked for',
      { status: 401, body: '{"message":"JWT"}' },
      'the candidate answers 401 to a client without a token that asks for the OpenAPI document',
    ],
    [
      'it is forbidden',
      { status: 403, body: '' },
      'the candidate answers 403 to a client without a token that asks for the OpenAPI document',
    ],
    [
      'openapi-mode is disabled',
      { status: 404, body: '{"code":"PGRST126"}' },
      'the candidate answers 404 to a client without a token that asks for the OpenAPI document',
    ],
    [
      'the answer is no JSON',
      { status: 200, body: '<html>' },
      "what the candidate answers on / is not PostgREST's OpenAPI document",
    ],
    [
      'the document is another one',
      { status: 200, body: '{"openapi":"3.1.0"}' },
      "what the candidate answers on / is not PostgREST's OpenAPI document",
    ],
  ])('nobody can tell when %s', async (_, answer, unknown) => {
    answers.set(stable, document('tasks')).set(candidate, answer);
    expect(await compare()).toEqual({ unknown });
  });

  test('that a client without a token sees nothing is no comparison', async () => {
    answers.set(stable, document()).set(candidate, document());
    expect(await compare()).toEqual({
      unknown: 'the OpenAPI document of stable shows nothing to a client without a token',
    });
  });

  test('a pod that fails is asked again by whoever ordered it', async () => {
    answers.set(stable, document('tasks')).set(candidate, { status: 503, body: '' });
    await expect(compare()).rejects.toThrow('the candidate answered 503 for its OpenAPI document');
  });
});
