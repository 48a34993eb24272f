import type { ApiSchema, ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Caches } from './caches.ts';

/** The first ApiSchema of `dependsOn` that has not been applied yet, as a sentence; undefined when all have. */
export function unmetDependency(spec: ApiSchemaSpec, caches: Caches, namespace: string): string | undefined {
  for (const { name } of spec.dependsOn) {
    const found = caches.schemas.get(`${namespace}/${name}`) as unknown as ApiSchema | undefined;
    if (found === undefined)
      return `ApiSchema ${name} of spec.dependsOn does not exist: create it, or remove it from the list.`;
    const applied = findCondition(found.status?.conditions, 'Applied');
    const isCurrent = found.status?.observedGeneration === found.metadata.generation;
    if (applied?.status !== 'True' || !isCurrent)
      return `ApiSchema ${name} of spec.dependsOn has not been applied yet: its conditions say why.`;
  }
  return undefined;
}
