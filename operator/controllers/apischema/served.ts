import type { Release } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { ConditionAnswer } from './conditionAnswer.ts';
import type { World } from './world.ts';

/** The condition Served: whether every instance that follows the ApiSchema serves its newest release, and no other. */
export function servedAnswer(
  world: World,
  verdict: Pick<ConditionAnswer, 'status' | 'reason'>,
  release: Release | undefined,
): ConditionAnswer {
  if (verdict.status !== 'True' || release === undefined)
    return {
      status: verdict.status === 'Unknown' ? 'Unknown' : 'False',
      reason: verdict.status === 'Unknown' ? verdict.reason : 'NotServedYet',
      message: 'The newest spec has not been applied to the database: see the condition Applied.',
    };
  const followers = world.followers.filter(({ follows }) => follows);
  if (followers.length === 0)
    return {
      status: 'True',
      reason: 'NoInstances',
      message: 'No ApiInstance follows this ApiSchema, so none serves an older release.',
    };
  const late = followers.filter(({ serves, isRolling }) => serves !== release.id || isRolling);
  if (late.length === 0)
    return {
      status: 'True',
      reason: 'Served',
      message: `Release ${release.id} is served by every ApiInstance that follows this ApiSchema (${String(followers.length)}).`,
    };
  return {
    status: 'False',
    reason: 'NotServedYet',
    message: `Release ${release.id} is not yet, or not alone, what these ApiInstances serve: ${namesOf(late)}. Their own conditions say why.`,
  };
}

/** Names for a message: the first ten. */
export function namesOf(list: readonly { readonly name: string }[]): string {
  const names = list.slice(0, 10).map(({ name }) => name);
  return list.length > names.length
    ? `${names.join(', ')} and ${String(list.length - names.length)} more`
    : names.join(', ');
}
