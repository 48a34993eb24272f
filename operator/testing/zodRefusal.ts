import { apiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { apiSchemaSpec } from '../api/v1alpha1/apiSchema.ts';
import { namedApiInstance, namedApiSchema } from '../api/v1alpha1/nameRule.ts';
import type { KubeObject } from '../runtime/object.ts';

/** The words in which zod refuses the object, name and spec; undefined when it takes it. */
export function zodRefusal(object: KubeObject): string | undefined {
  const isSchema = object.kind === 'ApiSchema';
  const named = (isSchema ? namedApiSchema : namedApiInstance).safeParse(object);
  const spec = (isSchema ? apiSchemaSpec : apiInstanceSpec).safeParse(object['spec']);
  const errors = [named.error, spec.error].flatMap((error) => error?.issues ?? []);
  if (errors.length === 0) return undefined;
  return errors.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
}
