import pg from 'pg';
import type { SmallMigration } from './plan.ts';

/**
 * The least that a correct runner in Node does: for each migration one transaction with its ledger row, in one round
 * trip, and none before the one before it has succeeded. No lock, no look at the SQL, no settings, no second runner.
 */
export async function applyWithoutUs(uri: string, migrations: readonly SmallMigration[]): Promise<void> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  await client.query('create schema ledger; create table ledger.migrations (name text primary key)');
  for (const { name, sql } of migrations)
    await client.query(`begin; insert into ledger.migrations values ('${name}'); ${sql}; commit`);
  await client.end();
}
