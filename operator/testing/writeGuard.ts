import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { apiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';
import type { KubeObject } from '../runtime/object.ts';
import { podKey, type Proofs } from './scriptedWork.ts';
import type { SimulatedCluster } from './simulatedCluster.ts';
import { mainOf, type Followed } from './simulatedDataPlane.ts';

/** Looks at each write of the operator: what it may never do, whatever has happened before. */
export interface WriteGuard {
  /** Call before a write; the result is to be called after it. */
  begin(): () => void;
  readonly violations: readonly string[];
}

/** `proofs`: those of the operator process that writes; `instance`: as it is stored. */
export function createWriteGuard(
  cluster: SimulatedCluster,
  proofs: () => Proofs,
  instance: () => KubeObject | undefined,
  spec: () => ApiInstanceSpec,
): WriteGuard {
  const violations: string[] = [];
  const check = (isRight: boolean, text: string): void => {
    if (!isRight && !violations.includes(text)) violations.push(text);
  };

  function weights(before: Followed, after: Followed): void {
    const { canary } = after;
    if (!canary) return;
    const had = before.canary?.revision === canary.revision ? before.canary.weight : 0;
    if (canary.weight <= had) return;
    const { capacity } = spec().rollout;
    const isFast = (instance()?.['status'] as { fast?: boolean } | undefined)?.fast === true;
    const { replicas } = spec();
    const share = Math.max(1, Math.ceil((replicas * canary.weight) / 100));
    const needed = capacity === 'Full' || isFast ? replicas : share;
    const proved = cluster.readyPods(canary.revision).filter((pod) => proofs().pods.has(podKey(pod))).length;
    check(
      proved >= needed,
      `r${canary.revision} was given ${canary.weight} % with ${proved} proved pods of ${needed}`,
    );
  }

  function promotion(before: Followed, after: Followed): void {
    const { selected } = after;
    if (selected === undefined || selected === before.selected) return;
    // One that somebody deleted comes back as it was.
    if (before.selected === undefined) return;
    check(
      cluster.readyPods(selected).length > 0,
      `the stable Service went to r${selected}, which has no ready pod`,
    );
    const isSeen = cluster.dataPlane
      .views()
      .every(({ canary }) => canary?.revision === selected && canary.weight === 100);
    check(
      isSeen && proofs().hundred.has(selected),
      `the stable Service went from r${before.selected} to r${selected} before all traffic was there`,
    );
  }

  /** The promoted revision's share goes only when the main route was seen to lead there. */
  function handover(before: Followed, after: Followed): void {
    const { canary } = before;
    if (canary?.weight !== 100 || canary.revision !== mainOf(before)) return;
    if (after.canary?.weight === 100) return;
    check(
      cluster.dataPlane.views().every((view) => mainOf(view) === canary.revision),
      `r${canary.revision} lost its share before the main route led there`,
    );
  }

  function ends(): void {
    const status = instance()?.['status'];
    if (status === undefined) return;
    const known = apiInstanceStatus.safeParse(status);
    check(
      known.success && JSON.stringify(sorted(known.data)) === JSON.stringify(sorted(status)),
      `the API server would refuse this status: ${JSON.stringify(status)} ${known.error?.message ?? ''}`,
    );
    const keys = (known.data?.history ?? []).map(
      ({ revision, outcome, startedAt, at }) => `${revision} ${outcome} ${startedAt ?? at}`,
    );
    check(new Set(keys).size === keys.length, `history holds an end twice: ${keys.join(', ')}`);
  }

  return {
    violations,
    begin() {
      const before = cluster.route();
      return () => {
        const after = cluster.route();
        weights(before, after);
        promotion(before, after);
        handover(before, after);
        ends();
      };
    },
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)]),
  );
}
