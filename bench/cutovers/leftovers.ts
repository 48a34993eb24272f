import { operatorNamespace } from '../../hack/kube/operator.ts';
import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { parseMetrics } from '../scale/prometheus.ts';

/** What there is in a namespace, by kind, and in the operator's memory. */
export interface Leftovers {
  /** How many objects of each kind, `pods` and so on. */
  readonly objects: Readonly<Record<string, number>>;
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
  return { objects, rssMb: await operatorMemory(kubectl) };
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
