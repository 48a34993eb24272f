import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

/** Work that ends when it is told to, and a list of what has begun. */
function pieces() {
  const begun: number[] = [];
  const ends = new Map<number, PromiseWithResolvers<number>>();
  const work = (n: number) => () => {
    begun.push(n);
    const end = Promise.withResolvers<number>();
    ends.set(n, end);
    return end.promise;
  };
  return { begun, ends, work };
}

test('no more than the limit run at a time, the others in the order in which they came', async () => {
  const { begun, ends, work } = pieces();
  const turn = createTurns(2);
  const all = [1, 2, 3, 4].map((n) => turn(work(n)));
  expect(begun).toEqual([1, 2]);
  ends.get(2)?.resolve(2);
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([1, 2, 3]);
  ends.get(1)?.resolve(1);
  ends.get(3)?.resolve(3);
  await all[2];
  await Promise.resolve();
  expect(begun).toEqual([1, 2, 3, 4]);
  ends.get(4)?.resolve(4);
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
});

test('work that fails gives its place back, and says why', async () => {
  const turn = createTurns(1);
  const failed = turn(() => Promise.reject(new Error('no')));
  const next = turn(() => Promise.resolve('yes'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
  expect(await turn(() => Promise.resolve('again'))).toBe('again');
});
