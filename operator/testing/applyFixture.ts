import { createSqlAnalyst } from '../analysis/analyst.ts';
import type { ApplyContext, ApplyProgress, ApplyRequest } from '../controllers/apischema/applyRequest.ts';
import { applySchema } from '../controllers/apischema/applySchema.ts';
import type { ApplyResult } from '../controllers/apischema/applyResult.ts';
import type { Patience } from '../database/transaction.ts';
import { createSquawk, squawkPath } from '../lint/squawk.ts';

/** Impatient enough for a test, patient enough for a busy machine. */
export const testPatience: Patience = { lockTimeoutMs: 200, retryDelaysMs: [10, 10, 10] };

/** What reads and judges SQL, as in the operator. */
export const tools: Pick<ApplyContext, 'analyst' | 'squawk'> = {
  analyst: createSqlAnalyst(),
  squawk: createSquawk(squawkPath()),
};

/** The parts of a request that most tests do not speak of. */
export const plainRequest = {
  strategy: 'Versioned',
  contractions: [],
  roles: [],
  secrets: [],
  lint: { ignore: [], failOn: 'Error' },
  drift: 'Report',
  breaking: 'Allow',
  approved: [],
} as const satisfies Partial<ApplyRequest>;

/** A request with two migrations and one view over them; each migration leaves one row in `public.effects`. */
export function applyRequest(uri: string, changes: Partial<ApplyRequest> = {}): ApplyRequest {
  return {
    ...plainRequest,
    uri,
    namespace: 'shop',
    name: 'todo',
    clusterId: 'cluster-1',
    identity: 'operator-1',
    exposedSchema: 'api',
    migrations: [
      {
        name: '001-tasks',
        sql: `create table public.effects (what text not null);
              create table public.tasks (id int primary key, title text not null, done boolean not null default false);
              insert into public.effects values ('001-tasks');
              insert into public.tasks values (1, 'write'), (2, 'read');`,
      },
      {
        name: '002-due',
        sql: `alter table public.tasks add due date;
              insert into public.effects values ('002-due');`,
      },
    ],
    apiSql: `create view api.tasks as select id, title, done from public.tasks;`,
    ...changes,
  };
}

/** Applies with the test's patience. */
export async function apply(
  request: ApplyRequest,
  options: {
    readonly onProgress?: (progress: ApplyProgress) => void;
    readonly signal?: AbortSignal;
    readonly patience?: Patience;
  } = {},
): Promise<ApplyResult> {
  return await applySchema(request, {
    ...tools,
    signal: options.signal ?? new AbortController().signal,
    progress: options.onProgress ?? (() => undefined),
    patience: options.patience ?? testPatience,
  });
}

/** Id of the release that an apply ended with; fails the test when it did not end well. */
export function releaseOf(result: ApplyResult): string {
  if (result.kind !== 'applied' || result.summary.release === undefined)
    throw new Error(`not applied: ${JSON.stringify(result)}`);
  return result.summary.release.id;
}
