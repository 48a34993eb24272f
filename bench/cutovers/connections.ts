import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Access } from '../../hack/kube/kubectl.ts';

/** What was seen of a role's connections. */
export interface ConnectionsSeen {
  /** The most at once. */
  readonly most: number;
  /** From where these came: how many from each address, such as `10.244.0.9=20`. */
  readonly from: string;
  /** How often somebody looked. */
  readonly looks: number;
  /** How often there were more than the cap. */
  readonly over: number;
}

/** A look at the server's connections every 50 ms. */
export interface ConnectionWatch {
  read(): ConnectionsSeen;
  stop(): Promise<void>;
}

const everySeconds = 0.05;

/** Looks from inside of the database's pod, over one connection of its superuser: the network is not in the way. */
export function watchConnections(
  access: Access,
  { namespace, role, cap }: { readonly namespace: string; readonly role: string; readonly cap: number },
): ConnectionWatch {
  const psql =
    'PGPASSWORD=$POSTGRES_PASSWORD exec psql -h 127.0.0.1 -U postgres -d tasks -XAtq -v ON_ERROR_STOP=1';
  const child = spawn(
    access.kubectl,
    ['exec', '-i', '-n', namespace, 'deploy/tasks-db', '--', 'sh', '-c', psql],
    { env: { ...process.env, KUBECONFIG: access.kubeconfig }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let seen: ConnectionsSeen = { most: 0, from: '', looks: 0, over: 0 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const look = readLook(line);
    if (look === undefined) return;
    const isMore = look.count > seen.most;
    const most = isMore ? { most: look.count, from: look.from } : seen;
    seen = { ...most, looks: seen.looks + 1, over: seen.over + (look.count > cap ? 1 : 0) };
  });
  const ended = once(child, 'exit');
  child.stdin.write(`${lookFor(role)} \\watch ${String(everySeconds)}\n`);
  return {
    read: () => seen,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function lookFor(role: string): string {
  return `select 'connections ' || sum(n) || ' from ' || string_agg(host || '=' || n, ' ') from
    (select host(client_addr), count(*) n from pg_stat_activity where usename = '${role}' group by 1) hosts`.replaceAll(
    /\s+/g,
    ' ',
  );
}

/** What a line of psql tells; undefined when it tells of no connections. `\watch` prints headings between them. */
export function readLook(line: string): { readonly count: number; readonly from: string } | undefined {
  const found = /^connections (\d+) from (.*)$/.exec(line);
  return found === null ? undefined : { count: Number(found[1]), from: found[2] ?? '' };
}
