import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../hack/lib/exec.ts';
import { cpuSecondsOfServices } from './cpuTime.ts';
import { anonymousRole, release, type Database } from './database.ts';
import type { Endpoint } from './endpoints.ts';
import type { Figures, Load } from './wrk.ts';

/** What PostgREST does around the statement of a request. */
function inTransaction(sql: string): string {
  const settings = [
    ['search_path', release.schema],
    ['role', anonymousRole],
    ['request.jwt.claims', `{"role":"${anonymousRole}"}`],
    ['request.method', 'GET'],
    ['request.path', '/items'],
    ['request.headers', '{"host":"bench.example.test","accept":"application/json"}'],
    ['request.cookies', '{}'],
  ].map(([name = '', value = '']) => `set_config('${name}', '${value}', true)`);
  return `begin;\nselect ${settings.join(', ')};\n${sql}commit;\n`;
}

/** Runs the SQL of an endpoint by pgbench, without anybody between it and the database. */
export async function runPgbench(
  scratch: string,
  { bin, authenticator }: Database,
  endpoint: Endpoint,
  { connections, seconds }: Omit<Load, 'warmSeconds'>,
): Promise<Figures> {
  const folder = join(scratch, 'pgbench');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'script.sql'), inTransaction(endpoint.sql(release.schema)));
  const uri = new URL(authenticator);
  const { password } = uri;
  uri.password = '';
  // A line for each transaction: its time is the third word, in microseconds.
  const args = ['-n', '-M', 'prepared', '-c', String(connections), '-j', '2', '-T', String(seconds), '-l'];
  const before = cpuSecondsOfServices();
  const output = await run(join(bin, 'pgbench'), [...args, '-f', 'script.sql', uri.href], {
    cwd: folder,
    env: { PGPASSWORD: password },
  });
  const cpuSeconds = cpuSecondsOfServices() - before;
  const perSecond = Number(/^tps = ([\d.]+)/m.exec(output)?.[1]);
  const times = readdirSync(folder)
    .filter((name) => name.startsWith('pgbench_log.'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    .map((line) => Number(line.split(' ')[2]) / 1000)
    .sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? NaN;
  const failed = Number(/^number of failed transactions: (\d+)/m.exec(output)?.[1] ?? 0);
  const cpuMs = (cpuSeconds / times.length) * 1000;
  return {
    requests: times.length,
    errors: failed,
    perSecond,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    cpuMs,
  };
}
