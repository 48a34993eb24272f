import fc from 'fast-check';
import { expect, it } from 'vitest';
import { moves } from '../../testing/rolloutCommands.ts';
import { effort, play } from '../../testing/rolloutModel.ts';

it('whatever people, clusters and networks do: clients are served, nothing unproved gets traffic, and it comes to rest', async () => {
  await fc.assert(
    fc.asyncProperty(moves(25), fc.boolean(), async (list, isFrom) => {
      const { violations } = await play(list, isFrom);
      expect(violations).toEqual([]);
    }),
    effort,
  );
}, 3_600_000);
