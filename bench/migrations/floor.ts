import pg from 'pg';
import type { SmallMigration } from './plan.ts';

/**
 * The least that a correct runner in Node does: for each migration one transaction with its ledger row. They are
 * pipelined: all are sent without waiting for answers, and none is run after one that failed, because that one's
 * transaction is never ended. No lock, no look at the SQL, no settings, no second runner.
 */
export async function applyWithoutUs(uri: string, migrations: readonly SmallMigration[]): Promise<void> {
  const client = new pg.Client({ connectionString: uri, pipeline: true });
  await client.connect();
  await client.query('create schema ledger; create table ledger.migrations (name text primary key)');
  await Promise.all(
    migrations.map(({ name, sql }) =>
      client.query(`begin; insert into ledger.migrations values ('${name}'); ${sql}; commit`),
    ),
  );
  await client.end();
}
