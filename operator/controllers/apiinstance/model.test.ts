import fc from 'fast-check';
import { expect, it } from 'vitest';
import { moves } from '../../testing/rolloutCommands.ts';
import { play } from '../../testing/rolloutModel.ts';

/** More of them by hand: `ROLLOUT_MODEL_RUNS=2000 ROLLOUT_MODEL_SEED=7`. */
const numRuns = Number(process.env['ROLLOUT_MODEL_RUNS'] ?? 60);
const seed = Number(process.env['ROLLOUT_MODEL_SEED'] ?? 5);

it('whatever people, clusters and networks do: clients are served, nothing unproved gets traffic, and it comes to rest', async () => {
  await fc.assert(
    fc.asyncProperty(moves(25), fc.boolean(), async (list, isFrom) => {
      const { violations } = await play(list, isFrom);
      expect(violations).toEqual([]);
    }),
    { numRuns, seed },
  );
}, 3_600_000);
