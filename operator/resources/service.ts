import type { KubeObject } from '../runtime/object.ts';
import { publicPort } from './ports.ts';
import { labels, names, ownedMetadata, revisionLabels, revisionSelector, type Owner } from './names.ts';

/** The Service of the revision that has the traffic: moving its selector is what promotes. */
export function stableService(owner: Owner, revision: number): KubeObject {
  return service(owner, names(owner.name).stableService, labels(owner.name), revision);
}

/** The Service of one revision, for the canary. */
export function revisionService(owner: Owner, revision: number): KubeObject {
  return service(owner, names(owner.name).revision(revision), revisionLabels(owner.name, revision), revision);
}

function service(
  owner: Owner,
  name: string,
  objectLabels: Readonly<Record<string, string>>,
  revision: number,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(owner, name, objectLabels),
    spec: {
      selector: revisionSelector(owner.name, revision),
      ports: [{ name: 'http', port: 80, targetPort: publicPort, protocol: 'TCP' }],
    },
  };
}
