import { isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { apiSchemaSpec, type ApiSchemaSpec } from '../api/v1alpha1/apiSchema.ts';
import type { LintOptions, LintSource } from '../lint/source.ts';
import { joinSources, readText, UsageError, type LocatedSource } from './files.ts';

/** An ApiSchema out of a manifest. */
export interface SchemaManifest {
  readonly sources: readonly LocatedSource[];
  readonly options: LintOptions;
  /** The migration up to which the database has them all already. */
  readonly baseline?: string | undefined;
}

interface ManifestObject {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly content: unknown;
}

/**
 * The ApiSchemas in YAML files; the ConfigMaps that their SQL comes from are in the same files.
 * @throws UsageError when a file is no YAML, an ApiSchema breaks its schema, or a ConfigMap is missing.
 */
export function readManifests(files: readonly string[]): readonly SchemaManifest[] {
  const objects = files.flatMap(readObjects);
  const configMaps = new Map(
    objects
      .filter(({ kind }) => kind === 'ConfigMap')
      .map((object) => [`${object.namespace}/${object.name}`, object]),
  );
  return objects.filter(({ kind }) => kind === 'ApiSchema').map((object) => schemaOf(object, configMaps));
}

function readObjects(file: string): readonly ManifestObject[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(readText(file), { lineCounter: lines });
  return [...documents].flatMap((document): ManifestObject[] => {
    const [error] = document.errors;
    if (error !== undefined) throw new UsageError(`${file} is no YAML: ${error.message}`);
    const content: unknown = document.toJS();
    if (typeof content !== 'object' || content === null) return [];
    const { kind, metadata } = content as {
      kind?: unknown;
      metadata?: { name?: string; namespace?: string };
    };
    return [
      {
        file,
        document,
        lines,
        kind: typeof kind === 'string' ? kind : '',
        namespace: metadata?.namespace ?? '',
        name: metadata?.name ?? '',
        content,
      },
    ];
  });
}

function schemaOf(object: ManifestObject, configMaps: ReadonlyMap<string, ManifestObject>): SchemaManifest {
  const { content } = object as { content: { spec?: unknown } };
  const parsed = apiSchemaSpec.safeParse(content.spec);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `spec.${path.join('.')}: ${message}`);
    throw new UsageError(`${object.file}: ApiSchema ${object.name} is not valid: ${problems.join('; ')}`);
  }
  const spec = parsed.data;
  const laneOf = (lane: 'migrations' | 'contractions', kind: LintSource['kind']): readonly LocatedSource[] =>
    spec[lane].map(({ name, sqlFrom, lint }, index) => {
      const ignore = lint?.ignore ?? [];
      if (sqlFrom === undefined) return textAt(object, ['spec', lane, index, 'sql'], { kind, name, ignore });
      return fromConfigMap(object, sqlFrom.configMapKeyRef, configMaps, { kind, name, ignore });
    });
  return {
    sources: [
      ...laneOf('migrations', 'migration'),
      ...laneOf('contractions', 'contraction'),
      apiOf(object, spec, configMaps),
    ],
    options: { schema: spec.schema, ignore: spec.lint.ignore, failOn: spec.lint.failOn },
    baseline: spec.baseline,
  };
}

type Named = Pick<LintSource, 'kind' | 'name' | 'ignore'>;

function apiOf(
  object: ManifestObject,
  { api }: ApiSchemaSpec,
  configMaps: ReadonlyMap<string, ManifestObject>,
): LocatedSource {
  const named: Named = { kind: 'api', name: 'api', ignore: [] };
  if (api.sqlFrom === undefined) return textAt(object, ['spec', 'api', 'sql'], named);
  return joinSources(
    named.name,
    api.sqlFrom.map(({ configMapKeyRef }) => fromConfigMap(object, configMapKeyRef, configMaps, named)),
  );
}

function fromConfigMap(
  object: ManifestObject,
  { name, key }: { readonly name: string; readonly key: string },
  configMaps: ReadonlyMap<string, ManifestObject>,
  named: Named,
): LocatedSource {
  const configMap = configMaps.get(`${object.namespace}/${name}`);
  if (configMap?.document.hasIn(['data', key]) !== true)
    throw new UsageError(
      `${object.file}: ApiSchema ${object.name} takes SQL from key ${key} of the ConfigMap ${name}, which is in none of the files: name its file as well`,
    );
  return textAt(configMap, ['data', key], named);
}

/** The text at a path. Inside of a literal block its lines are lines of the file; else all are where it begins. */
function textAt(
  { file, document, lines }: ManifestObject,
  path: readonly (string | number)[],
  named: Named,
): LocatedSource {
  const node = document.getIn(path, true) as Node | undefined;
  const sql = isScalar(node) ? String(node.value) : '';
  const first = lines.linePos(node?.range?.[0] ?? 0).line;
  const isBlock = isScalar(node) && node.type === 'BLOCK_LITERAL';
  return { source: { ...named, sql }, locate: (line) => ({ file, line: isBlock ? first + line : first }) };
}
