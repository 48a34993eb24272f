import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { operatorNamespace } from '../../hack/kube/operator.ts';
import { until } from '../../hack/lib/wait.ts';
import type { Case } from './case.ts';

/** Where the ingress controller runs. */
export const ingressNamespace = 'ingress-nginx';

/** A pod as far as a fault needs it. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  /** Empty while it has none. */
  readonly ip: string;
  readonly isReady: boolean;
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The pods of a revision, without those that are being deleted. */
export function podsOf({ kubectl, namespace, name }: Case, revision: number): Promise<readonly Pod[]> {
  return list(kubectl, namespace, ['-l', `pgrst.dev/instance=${name},pgrst.dev/revision=${revision}`]);
}

/** The replicas of the ingress controller, without those that are being deleted. */
export function ingressPods(kubectl: Kubectl): Promise<readonly Pod[]> {
  return list(kubectl, ingressNamespace, ['-l', 'app.kubernetes.io/component=controller']);
}

const ingressReplicas = 2;

/** Gives the ingress controller two replicas; what comes back gives it as many as it had. */
export async function twoIngressReplicas(kubectl: Kubectl): Promise<() => Promise<void>> {
  const deployment = ['-n', ingressNamespace, 'deployment/ingress-nginx-controller'];
  const before = await kubectl(['get', ...deployment, '-o', 'jsonpath={.spec.replicas}']);
  await kubectl(['scale', ...deployment, `--replicas=${ingressReplicas}`]);
  await ingressReady(kubectl);
  return async () => {
    await kubectl(['scale', ...deployment, `--replicas=${before}`]);
  };
}

/** Waits until all replicas of the ingress controller are ready. */
export async function ingressReady(kubectl: Kubectl): Promise<void> {
  await until(
    `${ingressReplicas} ingress replicas are ready`,
    async () => {
      const ready = (await ingressPods(kubectl)).filter(({ isReady }) => isReady);
      return ready.length === ingressReplicas ? true : undefined;
    },
    { timeoutMs: 120_000, everyMs: 250 },
  );
}

/** The operator pod that holds the Lease. */
export async function operatorLeader(kubectl: Kubectl): Promise<Pod> {
  const lease = ['get', 'lease', '-n', operatorNamespace, 'postgrest-operator'];
  const holder = await kubectl([...lease, '-o', 'jsonpath={.spec.holderIdentity}']);
  const pods = await list(kubectl, operatorNamespace, []);
  const leader = pods.find(({ name }) => holder.startsWith(`${name}_`)) ?? pods[0];
  if (leader === undefined) throw new Error('there is no operator');
  return leader;
}

async function list(kubectl: Kubectl, namespace: string, selector: readonly string[]): Promise<Pod[]> {
  const text = await kubectl(['get', 'pods', '-n', namespace, ...selector, '-o', 'json']);
  const { items } = JSON.parse(text) as { readonly items: readonly PodObject[] };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata: { name, uid }, status }) => ({
      name,
      uid,
      ip: status?.podIP ?? '',
      isReady: status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true,
    }));
}
