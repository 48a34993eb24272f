import { notInRe2 } from './re2.ts';

/** A JSON schema as zod gives it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A CEL rule of a structural schema. */
export interface Validation {
  readonly rule: string;
  readonly message: string;
  /** CEL that says it of the very value. */
  readonly messageExpression?: string;
}

/** A structural schema: what a CustomResourceDefinition takes, with its keys in a fixed order. */
export interface StructuralSchema {
  readonly description?: string;
  /** Absent only with `x-kubernetes-int-or-string`. */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly anyOf?: readonly { readonly type: 'integer' | 'string' }[];
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly Validation[];
}

/** A structural schema, and why it cannot be used: one sentence for each problem, beginning with the field's path. */
export interface Structural {
  readonly schema: StructuralSchema;
  readonly problems: readonly string[];
}

/** Keys that mean the same to zod's JSON schema and to a structural one, in the order in which they are written. */
const verbatim = [
  'nullable',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'default',
  'required',
] as const;
const kubernetes = [
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;
const rewritten = ['description', 'type', 'format', 'properties', 'items', 'additionalProperties'];
const known = new Set<string>([...verbatim, ...kubernetes, ...rewritten]);
const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/**
 * Rewrites a JSON schema (of `z.toJSONSchema` with target openapi-3.0 and io input) into a structural one, naming
 * everything that a CRD cannot express: what was left out silently would be a check that users believe in and nobody
 * makes (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
 */
export function toStructural(json: JsonSchema, path = ''): Structural {
  const problems: string[] = [];
  const schema = rewrite(json, path, problems);
  return { schema, problems };
}

function rewrite(json: JsonSchema, path: string, problems: string[]): StructuralSchema {
  if (json['x-kubernetes-int-or-string'] === true) return intOrString(json);
  const complain = (text: string): void => void problems.push(`${path === '' ? '(root)' : path}: ${text}`);
  for (const key of Object.keys(json))
    if (!known.has(key)) complain(`${key} cannot be expressed in a structural schema`);
  const { type } = json;
  if (typeof type !== 'string' || !types.has(type)) complain('has no single type');

  const out: Record<string, unknown> = {};
  if (json['description'] !== undefined) out['description'] = json['description'];
  out['type'] = type;
  const format = formatOf(json);
  if (format !== undefined) out['format'] = format;
  for (const key of verbatim) if (isKept(json, key)) out[key] = json[key];
  if (typeof out['pattern'] === 'string') {
    const found = notInRe2(out['pattern']);
    if (found !== undefined)
      complain(`the pattern ${out['pattern']} uses ${found}; the API server has RE2, which has not`);
  }
  if (isSchema(json['properties'])) {
    const fields = Object.entries(json['properties']).map(([name, field]) => [
      name,
      rewrite(field as JsonSchema, `${path}.${name}`, problems),
    ]);
    out['properties'] = Object.fromEntries(fields) as unknown;
  }
  if (isSchema(json['items'])) out['items'] = rewrite(json['items'], `${path}[]`, problems);
  // `false` is what strict objects say: pruning sees to unknown fields, and the two may not stand side by side.
  // An object that says so keeps whatever it has: those fields are another API's, whose server checks them.
  const isOpen = json['x-kubernetes-preserve-unknown-fields'] === true;
  const values = isOpen ? false : json['additionalProperties'];
  if (isSchema(values)) out['additionalProperties'] = rewrite(values, `${path}{}`, problems);
  else if (values === true) complain('takes any value: give its values a type');
  for (const key of kubernetes) if (json[key] !== undefined) out[key] = json[key];
  return out;
}

/** The one union of a structural schema; its length is the text's. */
function intOrString({ description, anyOf }: JsonSchema): StructuralSchema {
  const text = (anyOf as JsonSchema[]).find(({ type }) => type === 'string');
  const maxLength = text?.['maxLength'];
  return {
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof maxLength === 'number' ? { maxLength } : {}),
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  };
}

/** zod's bounds of every integer, which say nothing: a JavaScript number has no more exact ones. */
function isSafeIntegerBound(key: string, value: unknown): boolean {
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function isKept(json: JsonSchema, key: string): boolean {
  const value = json[key];
  if (value === undefined) return false;
  if (json['type'] === 'integer' && isSafeIntegerBound(key, value)) return false;
  // The server's own check of date-time is the better one, and zod's pattern for it is 300 characters.
  return !(key === 'pattern' && json['format'] === 'date-time');
}

/** The formats that the API server knows and we use; it would ignore the others without a word. */
function formatOf(json: JsonSchema): string | undefined {
  if (json['type'] === 'string') return json['format'] === 'date-time' ? 'date-time' : undefined;
  if (json['type'] !== 'integer') return undefined;
  const fits = (bound: unknown): boolean => typeof bound === 'number' && Math.abs(bound) <= 2 ** 31 - 1;
  return fits(json['minimum']) && fits(json['maximum']) ? 'int32' : 'int64';
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}
