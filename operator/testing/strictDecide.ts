import { expect } from 'vitest';
import { apiSchemaStatus } from '../api/v1alpha1/apiSchemaStatus.ts';
import { decide as decideWorld } from '../controllers/apischema/decide.ts';
import type { SchemaPlan } from '../controllers/apischema/plan.ts';
import type { World } from '../controllers/apischema/world.ts';

/** `decide`, failing the test when the API server would refuse the status: too long, or with a field it does not know. */
export function decide(world: World): SchemaPlan {
  const plan = decideWorld(world);
  // zod leaves out what it does not know, where the API server (fieldValidation=Strict) refuses it.
  if (plan.status !== undefined) expect(plan.status).toStrictEqual(apiSchemaStatus.parse(plan.status));
  return plan;
}
