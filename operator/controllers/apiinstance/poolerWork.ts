import { group } from '../../api/v1alpha1/shared.ts';
import { openConsole, type Console } from '../../console/console.ts';
import { settleProcess, type SettledProcess } from '../../console/settleProcess.ts';
import { poolerUsers, readPoolerCredentials } from '../../resources/pooler/credentials.ts';
import { poolerPort } from '../../resources/ports.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { isNotFound } from '../../runtime/kubeError.ts';
import type { TaskContext } from '../../runtime/tasks.ts';
import type { PoolerWork } from './world.ts';

/** Annotation of a pod that tells the kubelet of a change, so that it writes the Secret's files at once. */
const configAnnotation = `${group}/pooler-config`;

/** Settles one PgBouncer process over its console. Of a pod that is stopping, no answer is an answer: it is gone. */
export async function settlePooler(
  order: PoolerWork,
  client: KubeClient,
  clock: Clock,
  context: TaskContext,
): Promise<SettledProcess> {
  const { namespace, pod } = order;
  const poke = async (): Promise<void> => {
    const body = { metadata: { annotations: { [configAnnotation]: order.generation } } };
    try {
      await client.patch(
        { apiVersion: 'v1', kind: 'Pod', namespace, name: pod },
        { type: 'merge', body },
        context.signal,
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  const open = (signal: AbortSignal): Promise<Console> => login(order, client, signal);
  try {
    return await settleProcess(order, { clock, open, poke }, context);
  } catch (error) {
    if (order.isStopping) return { version: '', serverConnections: 0 };
    throw error;
  }
}

async function login({ namespace, secret, ip }: PoolerWork, client: KubeClient, signal: AbortSignal) {
  const stored = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name: secret }, signal);
  const credentials = readPoolerCredentials(stored);
  if (!credentials) throw new Error(`Secret ${secret} holds no credentials of the console`);
  const { password } = credentials.admin;
  return openConsole({ host: ip, port: poolerPort, user: poolerUsers.admin, password }, signal);
}
