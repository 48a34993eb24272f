import { isoTime } from '../../api/v1alpha1/shared.ts';
import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { PlannedContraction, PlannedStatement } from '../../database/runPlan.ts';
import { needText } from '../../database/surveyContraction.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import { orderFor } from './order.ts';
import type { PlanResult } from './planOrder.ts';
import { applyIdentity, applyRequestOf, patienceFor, type Inputs } from './request.ts';
import { failedMessage } from './verdict.ts';
import type { Work, World } from './world.ts';

type Plan = NonNullable<ApiSchemaStatus['plan']>;

const shown = 50;

/** The plan that somebody has asked for, or that suspension asks for: ordered once, and then what status says of it. */
export function planning(
  world: World,
  inputs: Inputs,
): { readonly orders: readonly WorkOrder<Work>[]; readonly plan?: Plan; readonly failure?: string } {
  const { status = {}, metadata } = world.object;
  const { lastAction, plan } = status;
  const isAsked =
    lastAction?.verb === 'plan' &&
    (plan === undefined || Date.parse(plan.plannedAt) < Date.parse(lastAction.at));
  const isDue = inputs.spec.suspend && plan?.generation !== metadata.generation;
  const request = applyRequestOf(world, inputs);
  const inUse = world.usage.filter(({ hasTraffic }) => hasTraffic).map(({ release }) => release);
  const { migrations, rest } = applyIdentity(inputs, request);
  const work: Work = { kind: 'plan', request, inUse, patience: patienceFor(inputs.spec) };
  const identity = { rest: [migrations, rest, lastAction?.id, metadata.generation] };
  const { orders, state } = orderFor(work, identity, world.work, world.now);
  // A result that status has already stays ordered, so that it is not asked for again.
  if (!isAsked && !isDue) return { orders: state?.state === 'done' ? orders : [] };
  if (state?.state === 'failed') return { orders, failure: failedMessage(state.message) };
  return state?.state === 'done' && state.result.kind === 'planned'
    ? { orders, plan: planOf(world, state.result) }
    : { orders };
}

function planOf(
  { now, object }: World,
  { statements, changes, contractions = [], problems }: Omit<PlanResult, 'kind' | 'lint'>,
): Plan {
  return {
    generation: object.metadata.generation,
    plannedAt: isoTime(now),
    statements: statements.slice(0, shown).map(statementOf),
    total: statements.length,
    ...(changes === undefined ? {} : { changes: changes.slice(0, shown) }),
    ...(contractions.length === 0 ? {} : { contractions: contractions.slice(0, shown).map(contractionOf) }),
    ...(problems.length === 0 ? {} : { problems: problems.slice(0, 20).map((text) => text.slice(0, 1024)) }),
  };
}

function statementOf({ source, number, line, text, transaction, locks, rewrites }: PlannedStatement) {
  return {
    source,
    statement: number,
    line,
    text: text.slice(0, 256),
    transaction,
    ...(locks.length === 0
      ? {}
      : { locks: locks.slice(0, 20).map(({ relation, mode }) => `${relation}: ${mode}`.slice(0, 256)) }),
    ...(rewrites.length === 0 ? {} : { rewrites: rewrites.slice(0, 20) }),
  };
}

function contractionOf({ name, needs, fits }: PlannedContraction) {
  return {
    name,
    ends: [...new Set(needs.map(({ release }) => release))].slice(0, shown),
    needs: needs.slice(0, 10).map((need) => `${needText(need)}.`.slice(0, 512)),
    fits,
  };
}
