import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import { createLimitsQuestion } from './askLimits.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

const context = (signal = new AbortController().signal) => ({ signal, progress: () => undefined });

test('many questions at once are all answered, and no session stays', async () => {
  const ask = createLimitsQuestion('test', systemClock);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask({ uri: db.uri, isWaitedFor: false }, context())),
  );
  for (const answer of answers) expect(answer).toMatchObject({ limits: { role: { limit: undefined } } });
});

test('a database that refuses is an answer, in words without the password', async () => {
  const uri = new URL(db.uri);
  uri.password = 'wrong-password';
  const answer = await createLimitsQuestion('test', systemClock)(
    { uri: uri.href, isWaitedFor: true },
    context(),
  );
  expect(answer).toEqual({
    unknown: expect.stringMatching(/^The server refused the connection .*28P01/) as string,
  });
  expect(JSON.stringify(answer)).not.toContain('wrong-password');
});

test('a database that says nothing is given up, and a question that nobody asks any more has no answer', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const uri = `postgres://somebody:secret@127.0.0.1:${String(port)}/app`;
  let giveUp = (): void => undefined;
  const ask = createLimitsQuestion('test', {
    ...systemClock,
    after: (_, callback) => {
      giveUp = callback;
      return () => undefined;
    },
  });
  const answer = ask({ uri, isWaitedFor: true }, context());
  await once(silent, 'connection');
  giveUp();
  expect(await answer).toEqual({ unknown: 'There was no answer within 3 s.' });

  const withdrawn = new AbortController();
  const other = ask({ uri, isWaitedFor: true }, context(withdrawn.signal));
  await once(silent, 'connection');
  withdrawn.abort(new Error('the work is no longer ordered'));
  await expect(other).rejects.toThrow('no longer ordered');
  silent.close();
});

test('a rollout does not stand in line behind databases that are away', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const uri = `postgres://somebody:secret@127.0.0.1:${String(port)}/app`;
  const ask = createLimitsQuestion('test', { ...systemClock, after: () => () => undefined });
  const stopping = new AbortController();
  const others = Array.from({ length: 20 }, () =>
    ask({ uri, isWaitedFor: false }, context(stopping.signal)).catch(() => undefined),
  );
  const answer = await ask({ uri: db.uri, isWaitedFor: true }, context());
  expect(answer).toHaveProperty('limits');
  stopping.abort(new Error('the test is over'));
  await Promise.all(others);
  silent.close();
});
