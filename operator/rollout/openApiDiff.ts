/** A column or a parameter as PostgREST's OpenAPI document has it; only what a comparison looks at. */
interface Property {
  /** Name of the type in PostgreSQL. */
  readonly format?: string;
  readonly type?: string;
  readonly maxLength?: number;
  /** Labels of an enum type. */
  readonly enum?: readonly string[];
}

interface Properties {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}

interface Parameter extends Property {
  readonly in?: string;
  readonly name?: string;
  readonly required?: boolean;
  readonly schema?: Properties;
}

type PathItem = Readonly<Partial<Record<string, { readonly parameters?: readonly Parameter[] }>>>;

/** PostgREST's answer to GET / (Swagger 2.0); only what a comparison looks at. */
export interface OpenApiDocument {
  readonly swagger: '2.0';
  readonly paths?: Readonly<Record<string, PathItem>>;
  /** Relations by name; absent where a client sees none. */
  readonly definitions?: Readonly<Record<string, Properties>>;
}

/** A document as it was read; undefined for what is not PostgREST's own (`db-root-spec` may give another one). */
export function readOpenApi(text: string): OpenApiDocument | undefined {
  try {
    const document = JSON.parse(text) as OpenApiDocument | null;
    return document?.swagger === '2.0' ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a document tells of anything that can be asked for: without privileges a client is told of nothing. */
export function namesNothing(document: OpenApiDocument): boolean {
  return relationsOf(document).size + functionsOf(document).size === 0;
}

/**
 * What the candidate's document takes away from the clients of stable's, a sentence each, in the words of the catalogs'
 * diff (operator/migration/apiDiff.ts). Additions and descriptions are not looked at.
 *
 * Of functions of one name PostgREST describes only one, so an overload that goes is seen in the catalogs alone.
 */
export function diffOpenApi(stable: OpenApiDocument, candidate: OpenApiDocument): readonly string[] {
  const [relations, functions] = [relationsOf(candidate), functionsOf(candidate)];
  return [
    ...[...relationsOf(stable)].flatMap(([name, from]) => {
      const to = relations.get(name);
      return to ? diffRelation(name, from, to) : [`View ${name} is gone.`];
    }),
    ...[...functionsOf(stable)].flatMap(([name, from]) => {
      const to = functions.get(name);
      return to ? diffFunction(name, from, to) : [`Function ${name} is gone.`];
    }),
  ];
}

interface Relation {
  readonly columns: ReadonlyMap<string, Property>;
  /** Columns that an insert must give. */
  readonly required: ReadonlySet<string>;
  /** What may be done with it: SQL's verbs. */
  readonly verbs: ReadonlySet<string>;
}

const verbs: Readonly<Record<string, string>> = {
  get: 'select',
  post: 'insert',
  patch: 'update',
  delete: 'delete',
};

function relationsOf({ definitions = {}, paths = {} }: OpenApiDocument): ReadonlyMap<string, Relation> {
  return new Map(
    Object.entries(definitions).map(([name, { properties = {}, required = [] }]) => [
      name,
      {
        columns: new Map(Object.entries(properties)),
        required: new Set(required),
        verbs: new Set(Object.keys(paths[`/${name}`] ?? {}).map((method) => verbs[method] ?? method)),
      },
    ]),
  );
}

function diffRelation(name: string, from: Relation, to: Relation): readonly string[] {
  const lost = [...from.verbs].filter((verb) => !to.verbs.has(verb));
  const isInserted = from.verbs.has('insert') && to.verbs.has('insert');
  const asksFor = (column: string): boolean =>
    isInserted && to.required.has(column) && !from.required.has(column);
  return [
    ...(lost.length > 0 ? [`View ${name} does not take ${lost.join(', ')} any more.`] : []),
    ...[...from.columns].flatMap(([column, had]) => {
      const subject = `Column ${name}.${column}`;
      const has = to.columns.get(column);
      if (has === undefined) return [`${subject} is gone.`];
      return [
        ...diffProperty(subject, had, has),
        ...(asksFor(column)
          ? [`${subject} may not be null, has no default, and must be given when a row is inserted.`]
          : []),
      ];
    }),
    ...[...to.columns.keys()]
      .filter((column) => !from.columns.has(column) && asksFor(column))
      .map((column) => `Column ${name}.${column} is new and must be given when a row is inserted.`),
  ];
}

interface Routine {
  readonly parameters: ReadonlyMap<string, Property>;
  /** Parameters without a default. */
  readonly required: ReadonlySet<string>;
  readonly methods: readonly string[];
}

/** The operator's own mark in every release, which has another name in each. */
const sentinel = /^pgrst_sentinel_[0-9a-f]{8}$/;

function functionsOf({ paths = {} }: OpenApiDocument): ReadonlyMap<string, Routine> {
  return new Map(
    Object.entries(paths).flatMap(([path, item]): [string, Routine][] => {
      const name = /^\/rpc\/(.+)$/.exec(path)?.[1];
      return name === undefined || sentinel.test(name) ? [] : [[name, routineOf(item)]];
    }),
  );
}

// The body of a POST has the types as PostgreSQL names them; a GET has those of an array's items.
function routineOf(item: PathItem): Routine {
  const methods = Object.keys(item);
  const body = item['post']?.parameters?.find((parameter) => parameter.in === 'body')?.schema;
  if (body) {
    const { properties = {}, required = [] } = body;
    return { parameters: new Map(Object.entries(properties)), required: new Set(required), methods };
  }
  const inQuery = (item['get']?.parameters ?? []).filter((parameter) => parameter.in === 'query');
  return {
    parameters: new Map(inQuery.map((parameter) => [parameter.name ?? '', parameter])),
    required: new Set(inQuery.filter(({ required }) => required).map(({ name = '' }) => name)),
    methods,
  };
}

function diffFunction(name: string, from: Routine, to: Routine): readonly string[] {
  const lost = from.methods.filter((method) => !to.methods.includes(method));
  const subject = (parameter: string): string =>
    parameter === '' ? `The parameter of function ${name}` : `Parameter ${parameter} of function ${name}`;
  return [
    ...(lost.length > 0 ? [`Function ${name} does not take ${lost.join(', ').toUpperCase()} any more.`] : []),
    ...[...from.parameters].flatMap(([parameter, had]) => {
      const has = to.parameters.get(parameter);
      if (has === undefined) return [`${subject(parameter)} is gone: calls that give it are refused.`];
      return [
        ...diffProperty(subject(parameter), had, has),
        ...(to.required.has(parameter) && !from.required.has(parameter)
          ? [`${subject(parameter)} has lost its default: calls without it are refused.`]
          : []),
      ];
    }),
    ...[...to.required]
      .filter((parameter) => !from.parameters.has(parameter))
      .map((parameter) => `${subject(parameter)} is new and has no default: calls without it are refused.`),
  ];
}

function diffProperty(subject: string, from: Property, to: Property): readonly string[] {
  const [had, has] = [typeOf(from), typeOf(to)];
  if (had !== has) return [`${subject} has the type ${has}; it was ${had}.`];
  const lost = (from.enum ?? []).filter((label) => to.enum?.includes(label) === false);
  return lost.length > 0 ? [`${subject} loses the labels ${lost.join(', ')}.`] : [];
}

/**
 * The type in PostgreSQL where it is named: `type` follows from it, and not in the same way in every PostgREST. A type
 * of the API itself comes with its schema, which has another name in each release (`api_9602e0b1.mood`).
 */
function typeOf({ format, type = 'any', maxLength }: Property): string {
  const name = (format ?? type).replace(/_[0-9a-f]{8}(?="?\.)/, '');
  return maxLength === undefined ? name : `${name}(${maxLength})`;
}
