import { defineConfig } from 'vitest/config';

const unitOnly = ['**/*.pg.test.ts', '**/*.api.test.ts', '**/node_modules/**'];

// One project for each kind of world that a test needs; `npm test` runs them one after the other.
export default defineConfig({
  test: {
    watch: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{operator,hack,bench}/**/*.test.ts'],
          exclude: unitOnly,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['{operator,hack}/**/*.pg.test.ts'],
          globalSetup: ['hack/test/postgres.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'api',
          include: ['{operator,hack}/**/*.api.test.ts'],
          globalSetup: ['hack/test/apiServer.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test-e2e/**/*.e2e.test.ts'],
          globalSetup: ['test-e2e/setup.ts'],
          // One cluster, one journey at a time: what a client measures must be its own rollout's doing.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 15 * 60_000,
          // The first journey that needs a Gateway on a new machine builds Traefik.
          hookTimeout: 60 * 60_000,
        },
      },
    ],
  },
});
