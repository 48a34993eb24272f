import { z } from 'zod';
import { keyedList, matching } from './rule.ts';

/** API group of both kinds. */
export const group = 'pgrst.dev';
/** The one served and stored version. */
export const version = 'v1alpha1';
/** `apiVersion` of both kinds. */
export const apiVersion = `${group}/${version}`;

/** DNS labels joined by dots (RFC 1123 subdomain). */
export const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A name as Kubernetes objects have it (RFC 1123 subdomain); at most 253 characters. */
export const objectName = z.string().min(1).max(253).regex(subdomain);

/** A key inside a Secret or a ConfigMap. */
export const dataKey = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/);

/** A whole number or a text of at most so many characters: YAML's 10 and "10". Kubernetes knows no other union. */
export const intOrString = (maxLength: number) =>
  z.union([z.int(), z.string().max(maxLength)]).meta({ 'x-kubernetes-int-or-string': true });

/** Points at one key of a Secret in the same namespace. The value is read when needed and never stored elsewhere. */
export const secretKeyRef = z
  .object({
    name: objectName.describe('Name of the Secret, in the namespace of this object.'),
    key: dataKey.describe('Key inside the Secret.'),
  })
  .describe('One key of a Secret in the same namespace.')
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** Points at one key of a ConfigMap in the same namespace. */
export const configMapKeyRef = z
  .object({
    name: objectName.describe('Name of the ConfigMap, in the namespace of this object.'),
    key: dataKey.describe('Key inside the ConfigMap.'),
  })
  .describe('One key of a ConfigMap in the same namespace.')
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** A Go-style duration of whole hours, minutes, seconds and milliseconds, such as `500ms`, `30s`, `15m` or `1h30m`. */
export const duration = matching(
  z.string().min(2).max(16),
  /^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$/,
  'a duration is whole hours, minutes, seconds and milliseconds in this order, such as 500ms, 30s, 15m or 1h30m',
);

/** Milliseconds of a `duration`. Assumes a value that passed the schema. */
export function durationMs(text: string): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (!match) throw new Error(`not a duration: ${text}`);
  const [, hours = '0', minutes = '0', seconds = '0', milliseconds = '0'] = match;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(milliseconds);
}

/** A condition as metav1.Condition has it. */
export const condition = z.object({
  type: z
    .string()
    .min(1)
    .max(316)
    .describe('What the condition is about, in CamelCase; docs/reference lists the types of each kind.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('The metadata.generation of the spec that the condition speaks of.'),
  lastTransitionTime: z.iso
    .datetime()
    .describe('When `status` last changed (RFC 3339).')
    .meta({ format: 'date-time' }),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .describe(
      'A CamelCase word for programs; docs/reference lists all, docs/runbooks has a page for each that asks somebody to act.',
    ),
  message: z.string().max(32768).describe('A sentence for people: what is so, and what to do about it.'),
});
/** A condition as metav1.Condition has it. */
export type Condition = z.infer<typeof condition>;

/** The `conditions` list of a status: one entry for each type. */
export const conditions = keyedList(
  z.array(condition).max(32).describe('The state in answers to single questions; wait on these.'),
  'type',
);

/** What both kinds carry in `metadata`, as far as the operator reads it. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** The finalizer of both kinds. */
export const finalizer = `${group}/finalizer`;
/** Annotation by which a person asks for a verb: `abort`, `promote`, `rollback` or `rollback=N`. */
export const actionAnnotation = `${group}/action`;
/** Annotation into which the operator turns an action once it has resolved it: `<verb> <target revision> <id>`. */
export const acceptedAnnotation = `${group}/accepted`;

/** Milliseconds since the epoch as RFC 3339 in UTC with milliseconds: where a rollout counts time from a stamp. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
