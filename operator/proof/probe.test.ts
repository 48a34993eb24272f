import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { startLoopbackServer } from '../testing/loopback.ts';
import { probe } from './probe.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const request = { host: 'shop.example.com', path: '/todo', headers: { 'X-Pgrst-Probe': '1' } };
const never = new AbortController().signal;

test('an answer says who gave it', async () => {
  const server = await startLoopbackServer((_, response) => {
    response.writeHead(204, { 'X-Pgrst-Revision': '7', 'X-Pgrst-Loaded': 'true' }).end();
  });
  closing.push(server.close);
  const answer = await probe({ ip: '127.0.0.1', port: server.port }, request, never);
  expect(answer).toEqual({ status: 204, revision: 7, loaded: true });
});

test('who does not answer in time is not waited for, and who has begun to is not either', async () => {
  for (const answer of [() => undefined, beginOnly]) {
    const server = await startLoopbackServer((_, response) => {
      answer(response);
    });
    closing.push(server.close);
    const asked = probe({ ip: '127.0.0.1', port: server.port }, request, never, 20);
    await expect(asked).rejects.toThrow('no answer within 0.02 s');
  }
});

test('nobody is waited for once nobody wants to know', async () => {
  const stop = new AbortController();
  const server = await startLoopbackServer(() => {
    stop.abort();
  });
  closing.push(server.close);
  const asked = probe({ ip: '127.0.0.1', port: server.port }, request, stop.signal);
  await expect(asked).rejects.toThrow('aborted');
});

function beginOnly(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Length': '2' }).write('a');
}
