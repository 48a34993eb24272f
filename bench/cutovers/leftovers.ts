import { operatorNamespace } from '../../hack/kube/operator.ts';
import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { names, poolerSelector } from '../../operator/resources/names.ts';
import { poolerUsers, readPoolerCredentials } from '../../operator/resources/pooler/credentials.ts';
import { poolerPort } from '../../operator/resources/ports.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import { parseMetrics } from '../scale/prometheus.ts';

/** Name of the ApiSchema and of the ApiInstance. */
export const instance = 'tasks';

/** What there is in a namespace, by kind, and in the operator's memory. */
export interface Leftovers {
  /** How many objects of each kind, `pods` and so on. */
  readonly objects: Readonly<Record<string, number>>;
  /** Pools of the PgBouncer pod that has the most of them. */
  readonly pools: number;
  /** Resident memory of the operator's replica that has the most, in MiB. */
  readonly rssMb: number;
}

const kinds = [
  'pods',
  'deployments',
  'replicasets',
  'services',
  'configmaps',
  'secrets',
  'controllerrevisions',
];

/** Counts. */
export async function countLeftovers(kubectl: Kubectl, namespace: string): Promise<Leftovers> {
  const objects: Record<string, number> = {};
  for (const kind of kinds) {
    const names = await kubectl(['get', kind, '-n', namespace, '-o', 'name']);
    objects[kind] = names.split('\n').filter((name) => name !== '').length;
  }
  return {
    objects,
    pools: await poolCount(kubectl, namespace),
    rssMb: await operatorMemory(kubectl),
  };
}

/** By the console of each PgBouncer pod, asked from inside of the database's pod. */
async function poolCount(kubectl: Kubectl, namespace: string): Promise<number> {
  const secret = await kubectl(['get', 'secret', names(instance).pooler, '-n', namespace, '-o', 'json']);
  const credentials = readPoolerCredentials(JSON.parse(secret) as KubeObject);
  if (credentials === undefined) throw new Error('the Secret of the pooler holds no credentials');
  const selector = Object.entries(poolerSelector(instance)).map(([key, value]) => `${key}=${value}`);
  const addresses = await kubectl([
    ...['get', 'pods', '-n', namespace, '-l', selector.join(',')],
    ...['-o', 'jsonpath={.items[*].status.podIP}'],
  ]);
  const counts = await Promise.all(
    addresses.split(' ').map(async (host) => {
      const psql = `psql -h ${host} -p ${String(poolerPort)} -U ${poolerUsers.stats} -d pgbouncer -XAtc 'show pools'`;
      // The password comes by standard input: it is in no argument.
      const command = `read -r PGPASSWORD; export PGPASSWORD; exec ${psql}`;
      const inPod = ['exec', '-i', '-n', namespace, 'deploy/tasks-db', '--', 'sh', '-c', command];
      const lines = await kubectl(inPod, `${credentials.stats.password}\n`);
      return lines.split('\n').filter((line) => line !== '' && !line.startsWith('pgbouncer|')).length;
    }),
  );
  return Math.max(...counts);
}

async function operatorMemory(kubectl: Kubectl): Promise<number> {
  const pods = await kubectl([
    ...['get', 'pods', '-n', operatorNamespace, '-l', 'app.kubernetes.io/name=postgrest-operator'],
    ...['-o', 'jsonpath={.items[*].metadata.name}'],
  ]);
  const sizes = await Promise.all(
    pods.split(' ').map(async (pod) => {
      const path = `/api/v1/namespaces/${operatorNamespace}/pods/${pod}:8080/proxy/metrics`;
      return parseMetrics(await kubectl(['get', '--raw', path]));
    }),
  );
  return Math.max(...sizes.map((scrape) => scrape.get('process_resident_memory_bytes') ?? 0)) / 2 ** 20;
}
