import type { WorkOrder } from '../../runtime/reconciler.ts';
import { toShow } from './reload.ts';
import { podWorkId, priorityIn } from './work.ts';
import type { PodState, Work, World } from './world.ts';

/** The proof that one pod holds its release. A restart inside the pod makes it another one. */
export function podOrder(pod: PodState, publishedAt: number | undefined, world: World): WorkOrder<Work>[] {
  const { ip, createdAt } = pod;
  if (ip === undefined) return [];
  const spec = { kind: 'pod', ip, createdAt, publishedAt, ...toShow(pod, world) } as const;
  return [{ id: podWorkId(pod, world), spec, priority: priorityIn(world) }];
}
