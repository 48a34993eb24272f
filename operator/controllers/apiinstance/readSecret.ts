import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { SecretRef } from './credentials.ts';
import type { SecretValue } from './world.ts';

/** Reads keys of Secrets, each Secret once: revisions share theirs. */
export function secretReader(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): (ref: SecretRef | undefined) => Promise<SecretValue> {
  const reads = new Map<string, Promise<KubeObject | undefined>>();
  return async (ref) => {
    if (!ref) return { state: 'missing', what: 'The spec names no Secret.' };
    const { name, key } = ref;
    const read = reads.get(name) ?? client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, signal);
    reads.set(name, read);
    const secret = await read;
    if (!secret) return { state: 'missing', what: `Secret ${name} does not exist in this namespace.` };
    const encoded = (secret['data'] as Record<string, string> | undefined)?.[key];
    if (encoded === undefined) return { state: 'missing', what: `Secret ${name} has no key ${key}.` };
    const value = Buffer.from(encoded, 'base64').toString('utf8');
    return { state: 'found', value, version: String(secret.metadata.resourceVersion) };
  };
}
