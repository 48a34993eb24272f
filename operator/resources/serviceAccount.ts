import type { KubeObject } from '../runtime/object.ts';
import { labels, names, ownedMetadata, type Owner } from './names.ts';

/** The identity of the pods. None of them talks to the API server, so there is no token. */
export function serviceAccount(owner: Owner): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: ownedMetadata(owner, names(owner.name).serviceAccount, labels(owner.name)),
    automountServiceAccountToken: false,
  };
}
