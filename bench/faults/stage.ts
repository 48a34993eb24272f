import { randomBytes } from 'node:crypto';
import type { Cluster } from '../../hack/cluster/types.ts';
import { createKubectl, type Kubectl } from '../../hack/kube/kubectl.ts';
import { until } from '../../hack/lib/wait.ts';
import { startLoad, type LoadRequest } from '../../hack/load/load.ts';
import { guardEndpoints } from '../../test-e2e/support/endpoints.ts';
import type { InstanceObject } from '../../test-e2e/support/journey.ts';
import {
  asList,
  databaseManifests,
  instanceManifest,
  schemaManifest,
  type Manifest,
  type WrittenInstance,
} from '../../test-e2e/support/manifests.ts';
import { observe } from '../../test-e2e/support/observed.ts';
import type { Case } from './case.ts';
import { nodeOf, type Node } from './node.ts';

/** What cases that follow each other share: a namespace with a database and an ApiSchema. */
export interface Stage {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  readonly node: Node | undefined;
  /** Makes an ApiInstance of its own for a case and waits until it is Ready. What it gives starts the traffic. */
  open(name: string, warmFor: string | undefined): Promise<() => Case>;
  /** Ends a case; its objects go in the background. */
  close(run: Case): Promise<void>;
  /** Removes everything. */
  strike(): Promise<void>;
}

const requestsPerSecond = 100;
const requests: readonly LoadRequest[] = [
  { method: 'GET', path: '/tasks?order=id.desc&limit=10' },
  { method: 'POST', path: '/rpc/add_task', body: '{"title":"from the fault matrix"}' },
  { method: 'GET', path: '/open_tasks?limit=5' },
];
const maxSeconds = 400;

/** Sets the stage on a cluster that has the operator. */
export async function setStage(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig' | 'ingressUrl'>,
): Promise<Stage> {
  const kubectl = createKubectl(cluster);
  const namespace = `faults-${randomBytes(2).toString('hex')}`;
  const node = nodeOf(cluster.kubeconfig);
  const strike = async (): Promise<void> => {
    const all = ['apiinstance,apischema', '--all', '-n', namespace];
    await kubectl.attempt(['delete', ...all, '--wait', '--timeout=90s']);
    await kubectl.attempt(['delete', 'namespace', namespace, '--wait=false']);
  };
  try {
    const database = databaseManifests(namespace).map(restartable);
    await kubectl(['apply', '-f', '-'], asList([...database, schemaManifest(namespace, 'v1')]));
    const ready = ['--for=condition=Ready', 'apischema/tasks', '--timeout=120s'];
    await kubectl(['wait', '-n', namespace, ...ready]);
  } catch (error) {
    await strike();
    throw error;
  }
  return {
    kubectl,
    namespace,
    node,
    open: (name, warmFor) => open({ cluster, kubectl, namespace, node }, name, warmFor),
    close: (run) => close(run),
    strike,
  };
}

interface Place {
  readonly cluster: Pick<Cluster, 'kubeconfig' | 'ingressUrl'>;
  readonly kubectl: Kubectl;
  readonly namespace: string;
  readonly node: Node | undefined;
}

async function open(
  { cluster, kubectl, namespace, node }: Place,
  name: string,
  warmFor: string | undefined,
): Promise<() => Case> {
  const host = `${name}.${namespace}.example.test`;
  // A parameter that changes no answer makes a new revision, without a new release of the database for each.
  const manifest = (revision: number): Manifest => {
    const edited = instanceManifest(namespace, host, (spec: WrittenInstance) => ({
      ...spec,
      postgrest: {
        ...spec.postgrest,
        config: { ...spec.postgrest?.config, 'db-max-rows': String(1000 + revision) },
      },
      rollout: {
        steps: [{ weight: 50 }, { pause: {} }, { weight: 100 }],
        ...(warmFor !== undefined && { warmFor }),
      },
    }));
    return { ...edited, metadata: { ...edited.metadata, name } };
  };
  // A second change may be made while the API server has just come back.
  const writeSpec = async (revision: number): Promise<void> => {
    await until('the spec is written', async () => {
      await kubectl(['apply', '-f', '-'], asList([manifest(revision)]));
      return true;
    });
  };
  await writeSpec(1);
  const collection = (group: string, plural: string): string =>
    `/apis/${group}/namespaces/${namespace}/${plural}`;
  const [instance, canary, guard] = await Promise.all([
    observe<InstanceObject>(cluster.kubeconfig, {
      path: collection('pgrst.dev/v1alpha1', 'apiinstances'),
      name,
    }),
    observe(cluster.kubeconfig, {
      path: collection('networking.k8s.io/v1', 'ingresses'),
      name: `${name}-canary`,
    }),
    guardEndpoints(cluster.kubeconfig, namespace, name),
  ]);
  await kubectl(['wait', '-n', namespace, '--for=condition=Ready', `apiinstance/${name}`, '--timeout=120s']);
  return () => ({
    namespace,
    name,
    kubectl,
    node,
    instance,
    canary,
    load: startLoad({
      url: cluster.ingressUrl,
      host,
      requests,
      ratePerSecond: requestsPerSecond,
      maxSeconds,
    }),
    guard,
    writeSpec,
    async action(verb) {
      const annotation = [`pgrst.dev/action=${verb}`, '--overwrite'];
      await kubectl(['annotate', '-n', namespace, `apiinstance/${name}`, ...annotation]);
    },
  });
}

async function close(run: Case): Promise<void> {
  for (const watch of [run.instance, run.canary, run.guard]) watch.stop();
  await run.load.stop().catch(() => undefined);
  const object = ['-n', run.namespace, `apiinstance/${run.name}`];
  await run.kubectl.attempt(['delete', ...object, '--wait=false', '--ignore-not-found']);
}

/**
 * The example's database, but started again within its container: a container that ends often is started later and later
 * (CrashLoopBackOff), and another pod would begin with an empty volume.
 */
export function restartable(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Deployment') return manifest;
  const copy = structuredClone(manifest) as unknown as DatabaseDeployment;
  const { spec } = copy.spec.template;
  spec.terminationGracePeriodSeconds = 1;
  for (const container of spec.containers)
    container.command = ['sh', '-c', 'while true; do start-postgres; sleep 2; done'];
  return copy;
}

type DatabaseDeployment = Manifest & {
  spec: {
    template: { spec: { terminationGracePeriodSeconds?: number; containers: { command?: string[] }[] } };
  };
};
