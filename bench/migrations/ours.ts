import { createSqlAnalyst } from '../../operator/analysis/analyst.ts';
import { applySchema } from '../../operator/controllers/apischema/applySchema.ts';
import { createSquawk, squawkPath } from '../../operator/lint/squawk.ts';
import { sqlChecksum } from '../../operator/migration/checksum.ts';
import { median } from '../statistics.ts';
import type { SmallMigration } from './plan.ts';

const checks = 20;
const tools = { analyst: createSqlAnalyst(), squawk: createSquawk(squawkPath()) };

/** Does what the operator does for an ApiSchema with these migrations and an empty API. */
export async function apply(uri: string, migrations: readonly SmallMigration[]): Promise<void> {
  const claimant = { namespace: 'bench', name: 'bench', clusterId: 'bench', exposedSchema: 'api' };
  const result = await applySchema(
    {
      ...claimant,
      uri,
      identity: 'bench',
      strategy: 'Versioned',
      migrations,
      contractions: [],
      apiSql: '',
      roles: [],
      secrets: [],
      lint: { ignore: [], failOn: 'Error' },
      drift: 'Report',
      breaking: 'Allow',
      approved: [],
    },
    { ...tools, signal: new AbortController().signal, progress: () => undefined },
  );
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
}

// As the controller does when it reads them, once for each look.
function withChecksum(migration: SmallMigration): SmallMigration & { readonly checksum: string } {
  return { ...migration, checksum: sqlChecksum(migration.sql) };
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
    await apply(uri, migrations.map(withChecksum));
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
  }
  return median(costs);
}
