import type { Change } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { planRun } from '../../database/dryRun.ts';
import { claimInside, ledgerVersion, newerLedger, readLedger } from '../../database/ledger.ts';
import type { PlannedContraction, PlannedStatement } from '../../database/runPlan.ts';
import { quoteIdentifier } from '../../database/quoteIdentifier.ts';
import type { Session } from '../../database/session.ts';
import { lockFor, withSession } from '../../database/withSession.ts';
import { diffApi } from '../../migration/apiDiff.ts';
import { sentinelName } from '../../migration/checksum.ts';
import type { ApplyContext, ApplyRequest } from './applyRequest.ts';
import type { Findings } from './applyResult.ts';
import { findingText, reviewSql } from './reviewSql.ts';

/** What a plan came to. */
export interface PlanResult extends Pick<Findings, 'lint'> {
  readonly kind: 'planned';
  readonly statements: readonly PlannedStatement[];
  /** Undefined when the trial did not come so far. */
  readonly changes?: readonly Change[];
  /** The pending contractions, in order; undefined when the trial did not begin. */
  readonly contractions?: readonly PlannedContraction[];
  readonly problems: readonly string[];
}

/** Tries what an apply would do, in a transaction that is rolled back: nothing in the database is changed. */
export async function planSchema(
  request: ApplyRequest,
  inUse: readonly string[],
  context: ApplyContext,
): Promise<PlanResult> {
  return await withSession(request, context, async (session) => {
    const ledger = await readLedger(session, request);
    const refusal = newerLedger(ledger) ?? ledger.refusal;
    if (refusal !== undefined) return problem(`${refusal}.`);
    // A plan changes nothing, so it cannot bring it up to date, and nothing else reads what an older one says.
    if (ledger.version > 0 && ledger.version < ledgerVersion)
      return problem(
        'The ledger is from an older operator: the next run brings it up to date, then a plan can be made.',
      );
    const review = await reviewSql(ledger, request, context);
    if (review.kind === 'blocked')
      return { ...problem(review.message), ...(review.lint === undefined ? {} : { lint: review.lint }) };
    const { analyst } = context;
    const contractions = [];
    for (const { name, sql } of request.contractions.slice(ledger.contractions.length)) {
      const [read] = await analyst.call('readMigrations', [{ name, sql, idempotent: false }]);
      const reading = await analyst.call('contractionTargets', sql);
      if (read?.kind !== 'statements' || 'message' in reading)
        return problem(`Contraction ${name} cannot be read: its SQL is not valid.`);
      contractions.push({ name, statements: read.statements, ...reading });
    }
    const releases = ledger.releases.flatMap(({ id, schema, present }) =>
      present && schema !== null ? [{ id, schema }] : [],
    );
    await lockFor(session, context);
    const plan = await planRun(
      session,
      {
        exposedSchema: request.exposedSchema,
        sentinelOf: sentinelName,
        migrations: [...review.migrations].map(([name, statements]) => ({ name, statements })),
        api: review.api,
        current: releases.find(({ id }) => id === ledger.current),
        contractions,
        releases,
        inUse: new Set([...inUse, ...(ledger.current === undefined ? [] : [ledger.current])]),
        prepare: async (inside) => {
          await createMissingRoles(inside, request);
          // API SQL may name functions of the ledger, such as pgrst_ledger.secret().
          if (ledger.version === 0) await claimInside(inside, request, ledger.version);
          return undefined;
        },
      },
      {
        findMentions: (bodies, targets) => analyst.call('findMentions', bodies, targets),
        maskConstants: (statements) => analyst.call('maskConstants', statements),
        diffApi: async (before, after) => await Promise.resolve(diffApi(before, after)),
      },
    );
    return {
      kind: 'planned',
      statements: plan.statements,
      ...(plan.api === undefined ? {} : { changes: plan.api }),
      contractions: plan.contractions,
      problems: [...plan.problems, ...review.lint.findings.map(findingText)],
      lint: review.lint,
    };
  });
}

// A migration may grant to roles that the run would create before it.
async function createMissingRoles(session: Session, { roles }: ApplyRequest): Promise<void> {
  const there = await session.query<{ name: string }>(
    'select rolname as name from pg_roles where rolname = any ($1)',
    [roles.map(({ name }) => name)],
  );
  const known = new Set(there.map(({ name }) => name));
  for (const { name } of roles)
    if (!known.has(name)) await session.query(`create role ${quoteIdentifier(name)}`);
}

function problem(message: string): PlanResult {
  return { kind: 'planned', statements: [], problems: [message] };
}
