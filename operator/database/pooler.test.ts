import { describe, expect, test } from 'vitest';
import { sharesBackends, type Asking } from './pooler.ts';

/** A client that is given these backends, one for each time it asks; what it cannot do is an Error. */
function client(...backends: readonly (number | Error)[]): Asking & { isClosed: boolean } {
  const left = [...backends];
  const asking = {
    isClosed: false,
    query: async <Row>(sql: string): Promise<readonly Row[]> => {
      if (sql === 'begin' && !(left[0] instanceof Error)) return await Promise.resolve([]);
      const next = left.shift();
      if (next instanceof Error) throw next;
      return [{ pid: next } as Row];
    },
    close: async () => {
      asking.isClosed = true;
      await Promise.resolve();
    },
  };
  return asking;
}

describe('what two clients see', () => {
  // The first five were seen with PgBouncer 1.18 and with a direct connection through a proxy.
  test.each([
    ['pool_mode = transaction', client(4550, 4551), client(4550), true],
    ['the same, when another backend is next in turn', client(4562, 4563), client(4562), true],
    ['pool_mode = session', client(4566, 4566), client(4567), false],
    [
      'pool_mode = statement',
      client(4570),
      client(new Error('transaction blocks not allowed in statement pooling mode')),
      true,
    ],
    ['a proxy in front of a direct connection', client(1, 1), client(2), false],
    ['the first client is moved, the second has a backend of its own', client(1, 3), client(2), true],
  ])('%s', async (_, first, second, isShared) => {
    expect(await sharesBackends(first.query, () => Promise.resolve(second))).toBe(isShared);
    expect(second.isClosed).toBe(true);
  });
});

test('an error is no verdict', async () => {
  const second = client(new Error('too many connections'));
  await expect(sharesBackends(client(1, 1).query, () => Promise.resolve(second))).rejects.toThrow(
    'too many connections',
  );
  expect(second.isClosed).toBe(true);
});
