import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import type { Http } from './http.ts';
import type { WatchEvent } from './kubeClient.ts';
import { watchEvents } from './watch.ts';

const signal = new AbortController().signal;
const options = { apiVersion: 'v1', kind: 'Pod', resourceVersion: '5', timeoutSeconds: 300 };

/** The events that come of these chunks of bytes. */
async function eventsOf(chunks: readonly Buffer[]): Promise<WatchEvent[]> {
  const http: Http = {
    clock: createFakeClock(),
    json: () => Promise.reject(new Error('not asked for')),
    stream: () => Promise.resolve({ body: Readable.from(chunks) } as unknown as Dispatcher.ResponseData),
  };
  const events: WatchEvent[] = [];
  for await (const event of watchEvents(http, '/api/v1/pods', options, signal)) events.push(event);
  return events;
}

test('events come out whole, however the bytes are cut', async () => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, note: 'größer € 😀' };
  const line = `${JSON.stringify({ type: 'ADDED', object })}\n`;
  const bytes = Buffer.from(line + line);
  const expected = [
    { type: 'ADDED', object },
    { type: 'ADDED', object },
  ];
  expect(await eventsOf([bytes])).toEqual(expected);
  expect(await eventsOf([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
});

test('a line that is no JSON is an error and not skipped', async () => {
  await expect(eventsOf([Buffer.from('{"type":\n')])).rejects.toMatchObject({ reason: 'BadResponse' });
});
