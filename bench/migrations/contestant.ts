// One contestant in a process of its own, so that memory and start are those of a whole process: <who> <uri> <count>.
// Prints what it measured of itself as JSON.
import pg from 'pg';
import { applySchema } from '../../operator/controllers/apischema/applySchema.ts';
import { apiSql, smallMigrations } from './plan.ts';

const [who = '', uri = '', count = '0'] = process.argv.slice(2);
const migrations = smallMigrations(Number(count));

async function ours(): Promise<void> {
  const claim = { exposedSchema: 'api', namespace: 'bench', name: 'bench', clusterId: 'bench' };
  const request = { ...claim, uri, identity: 'bench', migrations, apiSql };
  const result = await applySchema(request, {
    signal: new AbortController().signal,
    progress: () => undefined,
  });
  if (result.kind !== 'applied') throw new Error(`not applied: ${result.message}`);
}

/** node-postgres alone: a transaction and a ledger row for each, sent without waiting for the one before. */
async function floor(): Promise<void> {
  const client = new pg.Client(uri);
  await client.connect();
  await client.query('create table public.ledger (name text primary key, at timestamptz default now())');
  const each = ({ name, sql }: { name: string; sql: string }) =>
    client.query(`begin; insert into public.ledger values ('${name}'); ${sql} commit;`);
  await Promise.all(migrations.map(each));
  await client.end();
}

const before = process.cpuUsage();
await (who === 'ours' ? ours() : floor());
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: process.resourceUsage().maxRSS / 1024 }));
