import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaultHarness, randomFaults, type FaultHarness } from '../../testing/faults/harness.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import { seededNumbers } from '../../testing/faults/seededNumbers.ts';

const lanes = 2;
const casesPerLane = 50;

describe.concurrent.each(Array.from({ length: lanes }, (_, lane) => lane))(
  'a run of 50 migrations that is interrupted at random protocol messages (seed %i)',
  (seed) => {
    let db: TestDatabase;
    let harness: FaultHarness;
    beforeAll(async () => {
      db = await createTestDatabase();
      harness = await createFaultHarness(db.uri);
    });
    afterAll(async () => {
      await db.drop();
    });

    test(`ends as if nothing had happened, ${casesPerLane} times`, { timeout: 300_000 }, async () => {
      const next = seededNumbers(seed);
      let killPoints = 0;
      for (let n = 0; n < casesPerLane; n += 1) {
        // A process costs most of a second: few cases have one here, more in `npm run bench -- kill`.
        const faults = randomFaults(next, harness.messages, 25);
        const { killPoints: hit, ...result } = await harness.runCase(faults);
        killPoints += hit;
        expect(result, JSON.stringify(faults)).toEqual({ lost: [], doubled: [], differences: [] });
      }
      expect(killPoints).toBeGreaterThanOrEqual(casesPerLane);
    });
  },
);
