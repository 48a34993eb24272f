import { applySchema } from '../../operator/controllers/apischema/applySchema.ts';
import { median } from '../statistics.ts';
import type { SmallMigration } from './plan.ts';

const checks = 20;

/** Does what the operator does for an ApiSchema with these migrations and an empty API. */
export async function apply(uri: string, migrations: readonly SmallMigration[]): Promise<void> {
  const claimant = { namespace: 'bench', name: 'bench', clusterId: 'bench', exposedSchema: 'api' };
  const result = await applySchema(
    { ...claimant, uri, identity: 'bench', migrations, apiSql: '' },
    { signal: new AbortController().signal, progress: () => undefined },
  );
  if (result.kind !== 'applied') throw new Error(`${result.reason}: ${result.message}`);
}

/**
 * CPU time of this process, in milliseconds, for finding out that all of them are applied: the median of some checks
 * after a first one, because an operator that resyncs has long since loaded its code.
 */
export async function cpuMsOfCheck(uri: string, migrations: readonly SmallMigration[]): Promise<number> {
  await apply(uri, migrations);
  const costs: number[] = [];
  for (let check = 0; check < checks; check += 1) {
    const before = process.cpuUsage();
    await apply(uri, migrations);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
  }
  return median(costs);
}
