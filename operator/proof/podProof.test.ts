import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { startLoopbackServer } from '../testing/loopback.ts';
import { provePod } from './podProof.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

/** Proves a pod that gives these answers, the last of them again and again; its age in seconds after the release. */
async function prove(answers: readonly Answer[], ageSeconds: number) {
  const left = [...answers];
  const server = await startLoopbackServer((_, response) => {
    const { status, headers } = (left.length > 1 ? left.shift() : left[0]) ?? { status: 500 };
    response.writeHead(status, headers).end();
  });
  closing.push(server.close);
  const heard: unknown[] = [];
  const order = {
    ip: '127.0.0.1',
    port: server.port,
    createdAt: 1_000_000 + ageSeconds * 1000,
    publishedAt: 1_000_000,
  };
  const stop = new AbortController();
  closing.push(() => {
    stop.abort();
  });
  const proof = await provePod(order, systemClock, {
    signal: stop.signal,
    progress: (value) => heard.push(value),
  });
  return { proof, heard };
}

const loaded = { 'X-Pgrst-Loaded': 'true' };
const version = { 'X-Pgrst-Version': '16.4' };

describe('a pod is proved', () => {
  test('by the sentinel, once the cache is no longer stale, and tells its version', async () => {
    const { proof, heard } = await prove([{ status: 404 }, { status: 200, headers: version }], 0);
    expect(proof).toEqual({ by: 'sentinel', version: '16.4' });
    expect(heard).toMatchObject([{ waitingFor: 'the schema cache is stale' }]);
  });

  test('by its age, where every request needs a token', async () => {
    const answer = { status: 401, headers: { ...loaded, ...version } };
    expect((await prove([answer], 1)).proof).toEqual({ by: 'age', version: '16.4' });
  });

  test('although its gate is of before and tells no version', async () => {
    expect((await prove([{ status: 200, headers: loaded }], 0)).proof).toEqual({ by: 'sentinel' });
  });

  test('not by its age before it has loaded its cache', async () => {
    const { proof, heard } = await prove([{ status: 401 }, { status: 200 }], 1);
    expect(proof).toEqual({ by: 'sentinel' });
    expect(heard).toMatchObject([{ waitingFor: 'the sentinel answered 401' }]);
  });
});
