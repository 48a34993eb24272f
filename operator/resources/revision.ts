import { createHash } from 'node:crypto';
import type { ApiInstanceSpec, PodTemplateAdditions } from '../api/v1alpha1/apiInstance.ts';
import type { Expose, ExposeRoute } from '../api/v1alpha1/apiInstanceExpose.ts';
import type { KubeObject } from '../runtime/object.ts';
import { canonicalConfig } from '../api/v1alpha1/postgrestConfig.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import { names, ownedMetadata, revisionLabels, type Owner } from './names.ts';
import { defaultRequestTimeout, type Timeouts } from './timeouts.ts';

/** The operator's default images of what it runs. */
export interface OperandImages {
  readonly postgrest: string;
  readonly gate: string;
  readonly pgbouncer: string;
  /** Tells Prometheus of PgBouncer; undefined: nobody does. */
  readonly pgbouncerExporter?: string | undefined;
}

/** An image, and whether a user asked for it: what is only the operator's default makes no new revision. */
interface Image {
  readonly name: string;
  readonly isDefault: boolean;
}

/** What a set of PostgREST pods runs with. Credentials are not in it: they are always the current ones. */
export interface RevisionContent {
  readonly release: { readonly id: string; readonly schema: string };
  /** The schema's name in the SQL, which clients may use as their profile. */
  readonly exposedSchema: string;
  /** The path prefix that clients use and PostgREST does not see. */
  readonly path: string;
  readonly postgrest: {
    readonly image: Image;
    readonly config: Readonly<Record<string, string>>;
    readonly jwtSecretRef?: { readonly name: string; readonly key: string } | undefined;
    readonly resources?: ApiInstanceSpec['postgrest']['resources'];
  };
  readonly gate: { readonly image: Image };
  /**
   * What a user may leave at its default is absent then: a revision that was made before a field existed keeps its
   * hash, so that an operator upgrade makes no new revision.
   */
  readonly routes?: readonly ExposeRoute[];
  readonly timeouts?: Timeouts;
  readonly bodySize?: string;
  readonly cors?: Expose['cors'];
  readonly podTemplate?: PodTemplateAdditions;
  /** Where the connection comes from: the pooler, or the user's own Secret. */
  readonly database:
    | { readonly pooled: true }
    | { readonly pooled: false; readonly uriSecretRef: { readonly name: string; readonly key: string } };
}

/** A revision as its ControllerRevision keeps it. */
export interface RevisionSnapshot {
  readonly number: number;
  /** Hash of what a user controls in `content`. */
  readonly hash: string;
  readonly content: RevisionContent;
  /** The pod template as it was rendered when the revision was made; never rendered again. */
  readonly podTemplate: PodTemplate;
  /**
   * The revision in whose pods it runs: its own number, or that of an older one from which it differs in nothing but
   * what PostgREST reads anew when it is told to. Absent: the pods are from before there was a settings file, and
   * cannot be told anything.
   */
  readonly workload?: number;
}

/** A pod template: opaque JSON for everybody but its builder. */
export type PodTemplate = Readonly<Record<string, unknown>>;

/** The content that a spec describes, for one release. */
export function revisionContent(from: {
  readonly spec: ApiInstanceSpec;
  readonly exposedSchema: string;
  readonly release: { readonly id: string; readonly schema: string };
  readonly images: OperandImages;
}): RevisionContent {
  const { spec, exposedSchema, release, images } = from;
  const { image, config, jwtSecretRef, resources } = spec.postgrest;
  return {
    release,
    exposedSchema,
    path: spec.expose.path,
    postgrest: {
      image: { name: image ?? images.postgrest, isDefault: image === undefined },
      config: canonicalConfig(config),
      ...(jwtSecretRef ? { jwtSecretRef } : {}),
      ...(resources ? { resources } : {}),
    },
    gate: { image: { name: images.gate, isDefault: true } },
    ...beyondDefaults(spec),
    database: spec.pooler ? { pooled: true } : { pooled: false, uriSecretRef: spec.database.uriSecretRef },
  };
}

/** What a spec has that an older operator did not know: nothing where it says the same as the default. */
function beyondDefaults({ expose, postgrest }: ApiInstanceSpec): Partial<RevisionContent> {
  const { routes, bodySize, cors } = expose;
  const { statement, request } = expose.timeouts;
  const timeouts = {
    ...(statement === undefined ? {} : { statement }),
    ...(durationMs(request) === durationMs(defaultRequestTimeout) ? {} : { request }),
  };
  const { podTemplate } = postgrest;
  return {
    ...(routes.length > 0 ? { routes } : {}),
    ...(isEmpty(timeouts) ? {} : { timeouts }),
    ...(bodySize === undefined ? {} : { bodySize }),
    ...(cors ? { cors } : {}),
    ...(podTemplate && !isEmpty(podTemplate) ? { podTemplate } : {}),
  };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** Identity of a revision: 16 hex digits over what a user controls. Default images are left out. */
export function contentHash(content: RevisionContent): string {
  return createHash('sha256').update(identityOf(content)).digest('hex').slice(0, 16);
}

/** A text of a revision's content, or of a part of it, that is equal where a user controls nothing that differs. */
export function identityOf(part: object): string {
  return JSON.stringify(sorted(part, (value) => (isDefaultImage(value) ? 'default' : value)));
}

/** The ControllerRevision that keeps a revision. The API server lets nobody change its data. */
export function controllerRevision(
  owner: Owner,
  number: number,
  content: RevisionContent,
  podTemplate: PodTemplate,
  workload: number,
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: ownedMetadata(owner, names(owner.name).revision(number), revisionLabels(owner.name, number)),
    revision: number,
    data: { content, hash: contentHash(content), podTemplate, workload },
  };
}

/** Reads a ControllerRevision of ours; undefined for one that is not. */
export function readControllerRevision(object: KubeObject): RevisionSnapshot | undefined {
  const number = object['revision'];
  const data = object['data'] as Omit<RevisionSnapshot, 'number'> | undefined;
  if (typeof number !== 'number' || typeof data?.hash !== 'string') return undefined;
  const { hash, content, podTemplate, workload } = data;
  return { number, hash, content, podTemplate, ...(workload === undefined ? {} : { workload }) };
}

function isDefaultImage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'isDefault' in value && value.isDefault === true;
}

/** The value with the keys of all objects in order, so that equal contents give equal text. */
function sorted(value: unknown, replace: (value: unknown) => unknown): unknown {
  const replaced = replace(value);
  if (Array.isArray(replaced)) return replaced.map((entry) => sorted(entry, replace));
  if (typeof replaced !== 'object' || replaced === null) return replaced;
  return Object.fromEntries(
    Object.entries(replaced)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry, replace)]),
  );
}
