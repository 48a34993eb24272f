import type { Condition } from '../../operator/api/v1alpha1/shared.ts';
import type { InstanceObject, SchemaObject } from './journey.ts';

/** The condition of this type, if the object has it. */
export function condition(object: InstanceObject | SchemaObject, type: string): Condition | undefined {
  return object.status?.conditions?.find((each) => each.type === type);
}

/** Whether the object's Ready says True about the spec as it is now. */
export function ready(object: InstanceObject | SchemaObject): boolean {
  const found = condition(object, 'Ready');
  return found?.status === 'True' && found.observedGeneration === object.metadata.generation;
}

/** Whether Ready is False with this reason, about the spec as it is now. */
export function notReady(object: InstanceObject | SchemaObject, reason: string): boolean {
  const found = condition(object, 'Ready');
  return (
    found?.status === 'False' &&
    found.reason === reason &&
    found.observedGeneration === object.metadata.generation
  );
}
