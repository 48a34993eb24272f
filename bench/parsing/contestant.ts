// One process that reads a large project once, as the operator does ("thread") or on its event loop ("loop"). Prints
// JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createSqlAnalyst } from '../../operator/analysis/analyst.ts';
import type { Operations } from '../../operator/analysis/operations.ts';
import { releaseHash, sqlChecksum } from '../../operator/migration/checksum.ts';
import { planMigrations } from '../../operator/migration/planMigrations.ts';
import { largeWork } from './work.ts';

/** Where the parser runs; `nowhere`: nothing is done, to see how long the machine itself lets a process wait. */
export type Place = 'thread' | 'loop' | 'nowhere';

/** What the process found. */
export interface Finding {
  /** The longest time for which the event loop did not turn, in milliseconds. */
  readonly maxBlockMs: number;
  readonly apiBytes: number;
  readonly migrations: number;
  readonly views: number;
  readonly statements: number;
}

type Call = <K extends keyof Operations>(
  name: K,
  ...args: Parameters<Operations[K]>
) => Promise<ReturnType<Operations[K]>>;

const mapping = { from: 'api', to: 'api_0123abcd' };

async function readAll(call: Call): Promise<Finding> {
  const { migrations, apiSql, bodies, views } = largeWork();
  await nextTurn();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await nextTurn();

  const read = await call('readMigrations', migrations);
  const api = await call('readApi', apiSql, 'api');
  const mapped = await call('mapSchemaNames', bodies, mapping);
  // What stays on the event loop: comparing with the ledger, and the name of the release.
  const applied = migrations.map(({ name, sql }) => ({ name, checksum: sqlChecksum(sql) }));
  await nextTurn();
  const plan = planMigrations(applied, migrations);
  await nextTurn();
  releaseHash({ exposedSchema: 'api', apiSql, migrations });
  await nextTurn();

  delay.disable();
  const isRight =
    api.kind === 'statements' &&
    api.statements.length === 2 * views &&
    read.every((each) => each.kind === 'statements' && each.statements.length === 3) &&
    mapped.every(({ text }) => text.includes('api_0123abcd.view_')) &&
    plan.kind === 'run';
  if (!isRight) throw new Error(`Read something else than was written: ${JSON.stringify(api).slice(0, 300)}`);
  return {
    maxBlockMs: delay.max / 1e6,
    apiBytes: Buffer.byteLength(apiSql),
    migrations: migrations.length,
    views,
    statements: api.statements.length + 3 * read.length,
  };
}

async function idle(): Promise<Finding> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await sleep(2000);
  delay.disable();
  return { maxBlockMs: delay.max / 1e6, apiBytes: 0, migrations: 0, views: 0, statements: 0 };
}

async function main(place: Place): Promise<Finding> {
  if (place === 'nowhere') return await idle();
  if (place === 'thread') return await readAll(createSqlAnalyst().call);
  const [{ operations }, { loadSqlParser }] = await Promise.all([
    import('../../operator/analysis/operations.ts'),
    import('../../operator/migration/parser.ts'),
  ]);
  await loadSqlParser();
  return await readAll(async (name, ...args) => {
    await nextTurn();
    const operation = operations[name] as (...values: readonly unknown[]) => unknown;
    return operation(...args) as ReturnType<Operations[typeof name]>;
  });
}

if (import.meta.main) console.log(JSON.stringify(await main(process.argv[2] as Place)));
