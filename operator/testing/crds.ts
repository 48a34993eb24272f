import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { ResourceMappings } from '../runtime/resourcePath.ts';

/** Where the API server keeps our kinds. */
export const crdMappings: ResourceMappings = {
  'pgrst.dev/v1alpha1 ApiSchema': { plural: 'apischemas', namespaced: true },
  'pgrst.dev/v1alpha1 ApiInstance': { plural: 'apiinstances', namespaced: true },
};

/** The CRDs of crds/, as they are shipped. */
export function readCrds(): readonly KubeObject[] {
  return Object.values(crdMappings).map(({ plural }) => {
    const file = join(import.meta.dirname, '..', '..', 'crds', `pgrst.dev_${plural}.yaml`);
    return parse(readFileSync(file, 'utf8')) as KubeObject;
  });
}

/** Installs the CRDs and waits until the server serves them. Test files of one run share them. */
export async function installCrds(client: KubeClient): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  for (const crd of readCrds()) {
    await client.apply(crd, { fieldManager: 'test' }, signal);
    await established(client, crd, signal);
  }
}

async function established(
  client: KubeClient,
  { apiVersion, kind, metadata }: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const selection = { apiVersion, kind, fieldSelector: `metadata.name=${metadata.name}` };
  const { items, resourceVersion } = await client.list(selection, signal);
  if (items.some(isEstablished)) return;
  for await (const { object } of client.watch({ ...selection, resourceVersion, timeoutSeconds: 30 }, signal))
    if (isEstablished(object)) return;
  throw new Error(`the CRD ${metadata.name} was not established`);
}

function isEstablished({ status }: KubeObject): boolean {
  const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true;
}
