import { supportOf } from '../../console/version.ts';
import type { Answer } from './answer.ts';
import { knownVersions } from './pooler.ts';
import type { World } from './world.ts';

/** What keeps the spec from being rolled out: a PgBouncer that PostgREST cannot work with. */
export function unsupportedProblem(world: World): Pick<Answer, 'reason' | 'message'> | undefined {
  const { spec } = world;
  if (!spec?.pooler) return undefined;
  const version = knownVersions(world, spec.pooler).find((each) => supportOf(each) === 'unsupported');
  return version === undefined
    ? undefined
    : {
        reason: 'PoolerUnsupported',
        message: `PgBouncer ${version} runs, and 1.24 or newer is needed. Use an image with such a version: spec.pooler.image.`,
      };
}
