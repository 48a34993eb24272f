import { apiInstanceSpec, type ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { Owner } from '../resources/names.ts';
import { revisionContent, type OperandImages, type RevisionContent } from '../resources/revision.ts';

/** The instance that the tests of the builders are about. */
export const owner: Owner = {
  apiVersion: 'pgrst.dev/v1alpha1',
  kind: 'ApiInstance',
  name: 'todo',
  namespace: 'shop',
  uid: '7c3ae1a4-51a1-4c4c-9d36-0a4f6a2f4b11',
};

/** The operator's default images in tests. */
export const images: OperandImages = {
  postgrest: 'postgrest:12.0.2',
  gate: 'gate:1.26',
  pgbouncer: 'pgbouncer:1.24',
};

/** A spec with every default filled in, and `more` over it. */
export function instanceSpec(more: Record<string, unknown> = {}): ApiInstanceSpec {
  return apiInstanceSpec.parse({
    schemaRef: { name: 'todo' },
    database: { uriSecretRef: { name: 'todo-db', key: 'uri' } },
    expose: { host: 'todo.example.com' },
    ...more,
  });
}

/** The content of a revision of that spec. */
export function instanceContent(more: Record<string, unknown> = {}): RevisionContent {
  return revisionContent({
    spec: instanceSpec(more),
    exposedSchema: 'api',
    release: { id: '12ab34cd', schema: 'api_12ab34cd' },
    images,
  });
}
