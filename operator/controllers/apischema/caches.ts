import type { ApiInstance } from '../../api/v1alpha1/apiInstance.ts';
import type { ApiSchema, ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Informer } from '../../runtime/informer.ts';
import { cacheKey, type KubeObject } from '../../runtime/object.ts';
import type { Queue } from '../../runtime/queue.ts';
import type { Key } from '../../runtime/reconciler.ts';

/** What wakes an ApiSchema's reconcile. */
export interface Caches {
  readonly schemas: Informer;
  readonly instances: Informer;
  /** All ConfigMaps, metadata only: any of them may hold SQL. */
  readonly configMaps: Informer;
}

/** Enqueues an ApiSchema when it or one that it depends on changes, when a ConfigMap that it reads does, and when an instance serves otherwise. */
export function watchTriggers(caches: Caches, queue: Queue<Key>): void {
  caches.schemas.onChange(({ object, previous, initial }) => {
    queue.add(cacheKey(object.metadata) as Key, { priority: initial ? 'resync' : 'changed' });
    if (initial || (previous !== undefined && appliedAs(previous) === appliedAs(object))) return;
    for (const schema of caches.schemas.list())
      if (schema.metadata.namespace === object.metadata.namespace && dependsOn(schema, object.metadata.name))
        queue.add(cacheKey(schema.metadata) as Key);
  });
  caches.configMaps.onChange(({ object, initial }) => {
    if (initial) return;
    for (const schema of caches.schemas.list())
      if (
        schema.metadata.namespace === object.metadata.namespace &&
        readsConfigMap(schema, object.metadata.name)
      )
        queue.add(cacheKey(schema.metadata) as Key);
  });
  caches.instances.onChange(({ type, object, previous, initial }) => {
    // An instance's status changes often; what it says about the schema does not.
    if (initial || (type === 'updated' && previous !== undefined && servedBy(previous) === servedBy(object)))
      return;
    for (const each of [object, previous]) {
      const name = each === undefined ? undefined : schemaNameOf(each as unknown as ApiInstance);
      if (name !== undefined) queue.add(`${object.metadata.namespace ?? ''}/${name}`);
    }
  });
}

function readsConfigMap(schema: KubeObject, name: string): boolean {
  const spec = (schema as unknown as Partial<ApiSchema>).spec as Partial<ApiSchemaSpec> | undefined;
  const sources = [
    ...[...(spec?.migrations ?? []), ...(spec?.contractions ?? [])].map(({ sqlFrom }) => sqlFrom),
    ...(spec?.api?.sqlFrom ?? []),
    ...(spec?.tests?.sqlFrom ?? []),
  ];
  return sources.some((source) => source?.configMapKeyRef.name === name);
}

function dependsOn(schema: KubeObject, name: string): boolean {
  const spec = (schema as unknown as Partial<ApiSchema>).spec as Partial<ApiSchemaSpec> | undefined;
  return (spec?.dependsOn ?? []).some((each) => each.name === name);
}

/** What `unmetDependency` looks at. */
function appliedAs(object: KubeObject): string {
  const { status } = object as unknown as Partial<ApiSchema>;
  return JSON.stringify([
    object.metadata.generation,
    status?.observedGeneration,
    findCondition(status?.conditions, 'Applied')?.status,
  ]);
}

function servedBy(object: KubeObject): string {
  const { spec, status } = object as unknown as Partial<ApiInstance>;
  return JSON.stringify([spec?.schemaRef, status?.stable?.release, status?.candidate !== undefined]);
}

/** The ApiSchema that an instance refers to; undefined where its spec is no spec. */
export function schemaNameOf(instance: ApiInstance): string | undefined {
  return (instance as { spec?: { schemaRef?: { name?: string } } }).spec?.schemaRef?.name;
}
