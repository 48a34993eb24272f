import { notifyReload } from '../../database/notifyReload.ts';
import type { Notify } from '../../proof/reloadPod.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { secretReader } from './readSecret.ts';
import type { Work } from './world.ts';

/** How a pod is told to reload: over the connection that PostgREST itself has, by any role. */
export function createNotifier(
  client: KubeClient,
  identity: string,
): (order: Extract<Work, { kind: 'reload' }>) => Notify {
  return ({ namespace, uriSecretRef, channel, pod }) =>
    async (signal) => {
      // Read each time: a password that has just been changed is the one that counts.
      const uri = await secretReader(client, namespace, signal)(uriSecretRef);
      if (uri.state === 'missing') throw new Error(uri.what);
      return await notifyReload({ uri: uri.value, identity }, { channel, applicationName: pod }, signal);
    };
}
