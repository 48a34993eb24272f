import { planRun } from '../database/dryRun.ts';
import type { PlanRequest, RunPlan } from '../database/runPlan.ts';
import { trialLimits, type TrialLimits } from '../database/trial.ts';
import { diffApi } from '../migration/apiDiff.ts';
import { sentinelName } from '../migration/checksum.ts';
import { findMentions } from '../migration/findMentions.ts';
import { maskConstants } from '../migration/maskConstants.ts';
import { createReleaseWorld, readingOf, statementsOf, type ReleaseWorld } from './releaseWorld.ts';

/** The API SQL of the one release of `createPlanWorld`. */
export const firstApi = 'create view api.tasks as select id, title, due from public.tasks;';

/** A database with tables `tasks` and `lists`, a sequence `numbers`, and one release. A plan leaves it as it was. */
export async function createPlanWorld(): Promise<ReleaseWorld> {
  return await createReleaseWorld(
    `create table public.tasks (id int primary key, title text, due date,
       parent int references public.tasks deferrable initially deferred);
     create table public.lists (id int primary key);
     create sequence public.numbers;
     insert into public.tasks values (1, 'write', '2024-01-01'), (2, 'read', null);`,
    [firstApi],
  );
}

/** What a test plans. */
export interface PlanInput {
  readonly migrations?: readonly string[];
  readonly api?: string;
  readonly contractions?: readonly string[];
  readonly limits?: Partial<TrialLimits>;
  readonly prepare?: PlanRequest['prepare'];
  /** Ids of releases that clients read. */
  readonly inUse?: readonly string[];
}

/** Plans migrations `m1`, `m2`, ..., an API, and contractions `c1`, `c2`, ... */
export async function planIn(
  world: ReleaseWorld,
  {
    migrations = [],
    api = firstApi,
    contractions = [],
    limits = {},
    prepare = () => Promise.resolve(undefined),
    inUse = [],
  }: PlanInput,
): Promise<RunPlan> {
  return await planRun(
    world.session,
    {
      exposedSchema: 'api',
      inUse: new Set(inUse),
      sentinelOf: sentinelName,
      migrations: migrations.map((sql, index) => ({
        name: `m${String(index + 1)}`,
        statements: statementsOf(sql),
      })),
      api: statementsOf(api),
      current: world.releases.at(-1),
      contractions: contractions.map((sql, index) => ({
        name: `c${String(index + 1)}`,
        statements: statementsOf(sql),
        ...readingOf(sql),
      })),
      releases: world.releases,
      prepare,
    },
    {
      findMentions: (bodies, targets) => Promise.resolve(findMentions(bodies, targets)),
      maskConstants: (statements) => Promise.resolve(statements.map(maskConstants)),
      diffApi: (before, after) => Promise.resolve(diffApi(before, after)),
    },
    { ...trialLimits, ...limits },
  );
}
