import type { KubeObject } from '../runtime/object.ts';
import { instanceSelector, labels, names, ownedMetadata, poolerSelector, type Owner } from './names.ts';

/** Voluntary evictions take one PostgREST pod at a time, of whatever revision: in a rollout several have traffic. */
export function instanceBudget(owner: Owner): KubeObject {
  const { budget } = names(owner.name);
  return disruptionBudget(owner, budget, labels(owner.name), instanceSelector(owner.name));
}

/** The same for the pooler. */
export function poolerBudget(owner: Owner): KubeObject {
  const { pooler } = names(owner.name);
  return disruptionBudget(owner, pooler, labels(owner.name, 'pooler'), poolerSelector(owner.name));
}

function disruptionBudget(
  owner: Owner,
  name: string,
  objectLabels: Readonly<Record<string, string>>,
  matchLabels: Readonly<Record<string, string>>,
): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: ownedMetadata(owner, name, objectLabels),
    spec: {
      // Not minAvailable: with a single replica it would block every drain of its node.
      maxUnavailable: 1,
      selector: { matchLabels },
      // A pod that is not ready serves nobody: it must not keep its node from being drained.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
