import { apiInstanceConditions, apiSchemaConditions } from '../../operator/api/v1alpha1/conditionDocs.ts';
import type { ReasonDoc } from '../../operator/api/v1alpha1/reasonDoc.ts';
import { reasonDocs } from '../../operator/api/v1alpha1/reasonDocs.ts';
import { apiVersion } from '../../operator/api/v1alpha1/shared.ts';
import type { Kind } from './kinds.ts';
import { code, table } from './markdown.ts';
import type { KindSchemas } from './schemas.ts';
import type { StructuralSchema } from './toStructural.ts';

/** The page of a kind in docs/reference: its fields with their rules, its conditions and the reasons they carry. */
export function referenceOf(kind: Kind, schemas: KindSchemas): string {
  const conditions = kind.kind === 'ApiSchema' ? apiSchemaConditions : apiInstanceConditions;
  const reasons: [string, ReasonDoc][] = Object.entries<ReasonDoc>(reasonDocs).filter(
    ([, doc]) => doc.kind === kind.kind || doc.kind === 'Both',
  );
  return [
    `# ${kind.kind}`,
    kind.description,
    `\`apiVersion: ${apiVersion}\`, \`kind: ${kind.kind}\`, namespaced. With kubectl: \`${kind.plural}\`, \`${kind.shortName}\`, or both kinds together as \`apis\`.`,
    ...schemas.validations.map(({ message }) => `A rule for the whole object: ${message}.`),
    '## spec',
    table(['Field', 'Type', 'Default', 'Bounds', 'Description'], fieldRows(schemas.spec, 'spec')),
    '## status',
    table(['Field', 'Type', 'Description'], fieldRows(schemas.status, 'status').map(withoutBounds)),
    '## Conditions',
    table(
      ['Type', 'True means'],
      conditions.map(({ type, whenTrue }) => [code(type), whenTrue]),
    ),
    '## Reasons',
    'Words that conditions and Events carry, the same ones everywhere.',
    table(
      ['Reason', 'What it means', 'What to do'],
      reasons.map(([reason, { means, action }]) => [
        action === null ? code(reason) : `[${code(reason)}](../runbooks/${reason}.md)`,
        means,
        action ?? '',
      ]),
    ),
    '## Columns of kubectl get',
    table(
      ['Column', 'From', 'What it shows'],
      kind.columns.map(({ name, jsonPath, description }) => [
        name.toUpperCase(),
        code(jsonPath),
        description,
      ]),
    ),
  ].join('\n\n');
}

type FieldRow = readonly [field: string, type: string, byDefault: string, bounds: string, text: string];

function withoutBounds([field, type, , , text]: FieldRow): string[] {
  return [field, type, text];
}

/** A row for each field, depth first, in the order of the schema. */
function fieldRows(schema: StructuralSchema, path: string): FieldRow[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const byDefault =
      field.default === undefined
        ? required.has(name)
          ? '**required**'
          : ''
        : code(JSON.stringify(field.default));
    const row: FieldRow = [code(at), typeOf(field), byDefault, boundsOf(field), textOf(field)];
    const inner = field.items ?? field.additionalProperties;
    return [
      row,
      ...fieldRows(field, at),
      ...(inner ? fieldRows(inner, `${at}${field.items ? '[]' : '{}'}`) : []),
    ];
  });
}

function typeOf(schema: StructuralSchema): string {
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(' or ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  return schema.format === 'date-time' ? 'time' : (schema.type ?? '');
}

function boundsOf(schema: StructuralSchema): string {
  const { minimum, maximum, minLength, maxLength, maxItems, maxProperties, pattern } = schema;
  const values = schema.additionalProperties ?? (schema.items?.properties ? undefined : schema.items);
  const inner = values === undefined ? '' : boundsOf(values);
  return [
    range(minimum, maximum, ''),
    range(minLength, maxLength, 'characters'),
    maxItems === undefined ? '' : `at most ${maxItems} entries`,
    maxProperties === undefined ? '' : `at most ${maxProperties} entries`,
    pattern === undefined ? '' : code(pattern),
    schema['x-kubernetes-list-map-keys'] ? `unique ${schema['x-kubernetes-list-map-keys'].join(', ')}` : '',
    inner === '' ? '' : `each: ${inner}`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function range(low: number | undefined, high: number | undefined, unit: string): string {
  if (low === undefined && high === undefined) return '';
  const text =
    low === undefined
      ? `at most ${high ?? ''}`
      : high === undefined
        ? `at least ${low}`
        : `${low} to ${high}`;
  return unit === '' ? text : `${text} ${unit}`;
}

/** The description, and below it the rules that the API server holds the field to. */
function textOf(schema: StructuralSchema): string {
  const rules = [
    ...(schema['x-kubernetes-validations'] ?? []),
    ...(schema.items?.['x-kubernetes-validations'] ?? []),
  ];
  return [schema.description ?? '', ...rules.map(({ message }) => `*Rule:* ${message}.`)].join('<br>');
}
