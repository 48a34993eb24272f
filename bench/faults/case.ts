import type { Kubectl } from '../../hack/kube/kubectl.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import type { Load } from '../../hack/load/load.ts';
import type { EndpointGuard } from '../../test-e2e/support/endpoints.ts';
import type { InstanceObject } from '../../test-e2e/support/journey.ts';
import type { Observed } from '../../test-e2e/support/observed.ts';
import type { Node } from './node.ts';

/** A fresh ApiInstance whose first revision serves, under steady traffic. */
export interface Case {
  readonly namespace: string;
  readonly name: string;
  readonly kubectl: Kubectl;
  /** Undefined where the machine under the cluster is out of reach. */
  readonly node: Node | undefined;
  readonly instance: Observed<InstanceObject>;
  readonly canary: Observed<WatchedObject>;
  readonly load: Load;
  readonly guard: EndpointGuard;
  /** Writes the spec whose content becomes this revision, when it is asked for in this order: 1, 2, 3. */
  writeSpec(revision: number): Promise<void>;
  /** `kubectl annotate ... pgrst.dev/action=<verb>`. */
  action(verb: 'promote' | 'abort' | 'rollback'): Promise<void>;
}

/** Whether the instance says that it has come to rest on a revision, about the spec as it is now. */
export function isSettledOn({ metadata, status }: InstanceObject, revision: number): boolean {
  const find = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const ready = find('Ready');
  return (
    status?.stable?.revision === revision &&
    status.candidate === undefined &&
    find('Progressing')?.status === 'False' &&
    ready?.observedGeneration === metadata.generation &&
    (ready?.status === 'True' || ['RolledBack', 'Aborted'].includes(ready?.reason ?? ''))
  );
}

/** Whether a rollout to this revision waits for somebody to promote it. */
export function isPausedAt({ status }: InstanceObject, revision: number): boolean {
  return status?.candidate?.revision === revision && status.pausedSince !== undefined;
}

/** Brings a rollout to its end as a person would: promotes it where it pauses. Gives up after `timeoutMs`. */
export async function walkTo(run: Case, revision: number, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = deadline - Date.now();
    const object = await run.instance.until(
      `revision ${revision} has all traffic, or waits for a promotion`,
      (seen) => isSettledOn(seen, revision) || isPausedAt(seen, revision),
      left,
    );
    if (isSettledOn(object, revision)) return;
    const step = object.status?.step;
    await run.action('promote');
    await run.instance.until(
      'the promotion is carried out',
      (seen) => !isPausedAt(seen, revision) || seen.status?.step !== step,
      left,
    );
  }
}
