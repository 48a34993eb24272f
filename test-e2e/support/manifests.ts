import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ApiInstanceSpec } from '../../operator/api/v1alpha1/apiInstance.ts';
import type { ApiSchemaSpec } from '../../operator/api/v1alpha1/apiSchema.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');

const exampleHost = 'tasks.example.test';

/** A manifest as plain JSON. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** What people write: every field that has a default may be missing. */
type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Written<T[Key]> }
    : T;
/** The spec of an ApiSchema as a manifest has it. */
export type WrittenSchema = Written<ApiSchemaSpec>;
/** The spec of an ApiInstance as a manifest has it. */
export type WrittenInstance = Written<ApiInstanceSpec>;

/** One of the folders of examples/tasks that hold an ApiSchema; `v1` is the example's own folder. */
export type SchemaVersion = 'v1' | 'v2' | 'broken';

/** The example's database, moved into another namespace. */
export function databaseManifests(namespace: string): Manifest[] {
  return read('tasks/00-database.yaml').map((manifest) => moved(manifest, namespace));
}

/** The example's ApiSchema in one of its versions, moved into another namespace and edited. */
export function schemaManifest(
  namespace: string,
  version: SchemaVersion,
  edit: (spec: WrittenSchema) => WrittenSchema = (spec) => spec,
): Manifest {
  const manifest = one(join('tasks', version === 'v1' ? '' : version, '10-apischema.yaml'));
  return { ...moved(manifest, namespace), spec: edit(manifest.spec as WrittenSchema) };
}

/** The example's ApiInstance, moved into another namespace, under a host of its own, and edited. */
export function instanceManifest(
  namespace: string,
  host: string,
  edit: (spec: WrittenInstance) => WrittenInstance = (spec) => spec,
): Manifest {
  const manifest = one('tasks/20-apiinstance.yaml');
  const spec = manifest.spec as WrittenInstance;
  return { ...moved(manifest, namespace), spec: edit({ ...spec, expose: { ...spec.expose, host } }) };
}

/** The service of examples/from-fastapi with its Ingress, moved into another namespace, under a host of its own. */
export function fastapiManifests(namespace: string, host: string): Manifest[] {
  return read('from-fastapi/10-fastapi.yaml').map((manifest) => {
    const text = JSON.stringify(manifest).replaceAll(exampleHost, host);
    return moved(JSON.parse(text) as Manifest, namespace);
  });
}

/** The spec of the ApiInstance of examples/from-fastapi; its host is the example's. */
export function fromFastapi(): WrittenInstance {
  return one('from-fastapi/20-apiinstance.yaml').spec as WrittenInstance;
}

/** Many manifests as one document for `kubectl apply -f -`, applied in this order. */
export function asList(manifests: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
}

function one(file: string): Manifest {
  const [manifest] = read(file);
  if (manifest === undefined) throw new Error(`examples/${file} is empty`);
  return manifest;
}

function read(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(examples, file), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );
}

/** The example lives in the namespace `tasks`, which its connection strings name too. */
function moved(manifest: Manifest, namespace: string): Manifest {
  const text = JSON.stringify(manifest).replaceAll('.tasks.svc', `.${namespace}.svc`);
  const copy = JSON.parse(text) as Manifest;
  const metadata =
    copy.kind === 'Namespace' ? { ...copy.metadata, name: namespace } : { ...copy.metadata, namespace };
  return { ...copy, metadata };
}
