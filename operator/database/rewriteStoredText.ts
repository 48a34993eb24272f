import type { MappedText, SchemaMapping } from '../migration/schemaNames.ts';
import type { BareNames } from '../migration/testNames.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import type { Session } from './session.ts';

/** How names in text are found, for many texts in one call: it needs the parser, which runs in a thread of its own. */
export interface NameMapper {
  /** `mapSchemaNames` of migration/schemaNames.ts for each text. */
  readonly mapSchemaNames: (
    texts: readonly string[],
    mapping: SchemaMapping,
  ) => Promise<readonly MappedText[]>;
  /** `searchPathNames` of migration/schemaNames.ts for each value. */
  readonly searchPathNames: (values: readonly string[]) => Promise<readonly (readonly string[])[]>;
  /** `mapTestNames` of migration/testNames.ts for each text. */
  readonly mapTestNames: (
    texts: readonly string[],
    mapping: SchemaMapping,
    bare: BareNames,
  ) => Promise<readonly string[]>;
}

/** A place in a stored text whose schema name could not be mapped. */
export interface StoredTextFinding {
  /** The function, with its argument types, or the trigger. */
  readonly object: string;
  /** Line of its body, counted from 1. */
  readonly line: number;
  readonly kind: 'string' | 'ambiguous' | 'unscannable';
}

interface Routine extends Record<string, unknown> {
  readonly signature: string;
  readonly name: string;
  readonly argument_names: readonly string[] | null;
  readonly language: string;
  readonly body: string;
  readonly is_text: boolean;
  readonly config: readonly string[] | null;
  readonly definition: string;
  /** Its owner, when our role has not got that role's privileges without SET ROLE. */
  readonly foreign_owner: string | null;
}

const mappedLanguages = ['sql', 'plpgsql'];
/** Characters of SQL in one round trip: enough that latency does not count, little enough to be gone soon. */
const batchSize = 262_144;

/**
 * Maps the schema name in what PostgreSQL keeps as text: string bodies of functions, and their settings (search_path,
 * default_text_search_config). Call it in the transaction that renamed the schema to `mapping.to`, with our own
 * settings; it leaves check_function_bodies off until the end of the transaction or `ownSettings`. `ambiguous` findings
 * mean that the body must not be published: a name in it may or may not be the schema.
 */
export async function rewriteStoredText(
  session: Session,
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<readonly StoredTextFinding[]> {
  const routines = await readRoutines(session, mapping.to);
  const [bodies, settings] = await Promise.all([
    mappedBodies(routines, mapping, mapper),
    mappedSettings(routines, mapping, mapper),
  ]);
  // The verbatim SQL was checked already; here the names stand in another schema than the search_path knows.
  await session.query('set local check_function_bodies = off');
  await runBatches(session, [...bodies.statements, ...settings.statements]);
  return [
    ...bodies.findings,
    ...settings.findings,
    ...unmappedLanguages(routines, mapping),
    ...(await triggerArguments(session, mapping)),
  ];
}

async function readRoutines(session: Session, schema: string): Promise<readonly Routine[]> {
  return await session.query<Routine>(
    `select p.oid::regprocedure::text as signature, p.proname as name, p.proargnames as argument_names,
            l.lanname as language, p.prosrc as body, p.prosqlbody is null as is_text, p.proconfig as config,
            pg_get_functiondef(p.oid) as definition,
            case when not pg_has_role(p.proowner, 'USAGE') then pg_get_userbyid(p.proowner) end as foreign_owner
       from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace = (select oid from pg_namespace where nspname = $1) and p.prokind <> 'a'
      order by 1`,
    [schema],
  );
}

interface Rewriting {
  readonly statements: readonly string[];
  readonly findings: readonly StoredTextFinding[];
}

async function mappedBodies(
  routines: readonly Routine[],
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<Rewriting> {
  const texts = routines.filter(({ is_text, language }) => is_text && mappedLanguages.includes(language));
  const mapped = await mapper.mapSchemaNames(
    texts.map(({ body }) => body),
    mapping,
  );
  const statements: string[] = [];
  const findings: StoredTextFinding[] = [];
  for (const [index, routine] of texts.entries()) {
    const result = mapped[index];
    if (result === undefined) throw new Error('a text was not mapped');
    const isChanged = result.text !== routine.body;
    for (const finding of result.findings)
      if (isChanged || finding.kind !== 'ambiguous') findings.push({ object: routine.signature, ...finding });
    if (!isChanged) continue;
    // `f.x` inside function f, and `x.y` for a parameter x, are names too.
    if (routine.name === mapping.from || (routine.argument_names ?? []).includes(mapping.from))
      findings.push({ object: routine.signature, line: 1, kind: 'ambiguous' });
    statements.push(asOwner(routine, withBody(routine, result.text)));
  }
  return { statements, findings };
}

// pg_get_functiondef ends in `AS $function$<body>$function$` ($procedure$ for one), with x's where the body holds that.
function withBody(routine: Routine, body: string): string {
  const end = /\$(function|procedure)x*\$\s*$/.exec(routine.definition);
  const opening = end === null ? -1 : end.index - routine.body.length;
  if (end === null || routine.definition.slice(opening, end.index) !== routine.body)
    throw new Error(`pg_get_functiondef of ${routine.signature} does not end in its body`);
  const head = routine.definition.slice(0, opening - end[0].trimEnd().length);
  let tag = '$function$';
  while (body.includes(tag.slice(0, -1))) tag = tag.replace(/\$$/, 'x$');
  return `${head}${tag}${body}${tag}`;
}

async function mappedSettings(
  routines: readonly Routine[],
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<Rewriting> {
  const settings = routines.flatMap((routine) =>
    (routine.config ?? []).map((each) => {
      const sign = each.indexOf('=');
      return { routine, name: each.slice(0, sign), value: each.slice(sign + 1) };
    }),
  );
  const paths = settings.filter(({ name }) => name === 'search_path');
  const configs = settings.filter(({ name }) => name === 'default_text_search_config');
  const names = await mapper.searchPathNames(paths.map(({ value }) => value));
  const mapped = await mapper.mapSchemaNames(
    configs.map(({ value }) => value),
    mapping,
  );
  const ofPaths = paths.flatMap(({ routine }, index) => {
    const path = names[index] ?? [];
    if (!path.includes(mapping.from)) return [];
    const value = path.map((name) => quoteIdentifier(name === mapping.from ? mapping.to : name)).join(', ');
    return [asOwner(routine, `alter routine ${routine.signature} set search_path to ${value}`)];
  });
  const ofConfigs = configs.flatMap(({ routine, value }, index) => {
    const text = mapped[index]?.text ?? value;
    if (text === value) return [];
    const literal = `'${text.replaceAll("'", "''")}'`;
    return [
      asOwner(routine, `alter routine ${routine.signature} set default_text_search_config to ${literal}`),
    ];
  });
  const rest = settings.filter((setting) => !paths.includes(setting) && !configs.includes(setting));
  return {
    statements: [...ofPaths, ...ofConfigs],
    findings: rest
      .filter(({ value }) => lineNaming(value, mapping.from) !== undefined)
      .map(({ routine }) => ({ object: routine.signature, line: 1, kind: 'string' })),
  };
}

// A function may belong to a role that ours can become, but whose privileges it has not got by itself.
function asOwner({ foreign_owner: owner }: Routine, statement: string): string {
  return owner === null
    ? statement
    : `set local role ${quoteIdentifier(owner)}; ${statement}; set local role none`;
}

async function runBatches(session: Session, statements: readonly string[]): Promise<void> {
  let batch = '';
  for (const statement of statements) {
    batch += `${statement};\n`;
    if (batch.length < batchSize) continue;
    await session.query(batch);
    batch = '';
  }
  if (batch !== '') await session.query(batch);
}

// Bodies in languages that PostgreSQL's scanner does not know are left as they are.
function unmappedLanguages(
  routines: readonly Routine[],
  mapping: SchemaMapping,
): readonly StoredTextFinding[] {
  return routines.flatMap(({ signature, language, body }): StoredTextFinding[] => {
    if (mappedLanguages.includes(language)) return [];
    const line = lineNaming(body, mapping.from);
    return line === undefined ? [] : [{ object: signature, line, kind: 'unscannable' }];
  });
}

/** The first line, counted from 1, in which the name stands as a word. */
function lineNaming(text: string, name: string): number | undefined {
  const line = text.split('\n').findIndex((each) => new RegExp(`(^|\\W)${name}(\\W|$)`).test(each));
  return line === -1 ? undefined : line + 1;
}

// Arguments of a trigger are constants, which its function may take for names.
async function triggerArguments(
  session: Session,
  mapping: SchemaMapping,
): Promise<readonly StoredTextFinding[]> {
  const rows = await session.query<{ object: string; arguments: string }>(
    `select format('trigger %I on %s', t.tgname, c.oid::regclass) as object, replace(encode(t.tgargs, 'escape'), '\\000', ' ') as arguments
       from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = (select oid from pg_namespace where nspname = $1) and t.tgnargs > 0
      order by 1`,
    [mapping.to],
  );
  return rows
    .filter((row) => lineNaming(row.arguments, mapping.from) !== undefined)
    .map(({ object }) => ({ object, line: 1, kind: 'string' }));
}
