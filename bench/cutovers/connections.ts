import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Access } from '../../hack/kube/kubectl.ts';

/** A look at the server's connections every 50 ms. */
export interface ConnectionWatch {
  /** The most connections of the role that were seen at once, and how often somebody looked. */
  read(): { readonly most: number; readonly looks: number };
  stop(): Promise<void>;
}

const everySeconds = 0.05;
const word = 'connections';

/** Looks from inside of the database's pod, over one connection of its superuser: the network is not in the way. */
export function watchConnections(access: Access, namespace: string, role: string): ConnectionWatch {
  const psql =
    'PGPASSWORD=$POSTGRES_PASSWORD exec psql -h 127.0.0.1 -U postgres -d tasks -XAtq -v ON_ERROR_STOP=1';
  const child = spawn(
    access.kubectl,
    ['exec', '-i', '-n', namespace, 'deploy/tasks-db', '--', 'sh', '-c', psql],
    { env: { ...process.env, KUBECONFIG: access.kubeconfig }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let most = 0;
  let looks = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const count = readLook(line);
    if (count === undefined) return;
    looks += 1;
    most = Math.max(most, count);
  });
  const ended = once(child, 'exit');
  child.stdin.write(
    `select '${word} ' || count(*) from pg_stat_activity where usename = '${role}' \\watch ${String(everySeconds)}\n`,
  );
  return {
    read: () => ({ most, looks }),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** How many connections a line of psql tells of; undefined when it tells of none. `\watch` prints headings between them. */
export function readLook(line: string): number | undefined {
  const found = /^connections (\d+)$/.exec(line);
  return found === null ? undefined : Number(found[1]);
}
