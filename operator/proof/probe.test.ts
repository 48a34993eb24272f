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
