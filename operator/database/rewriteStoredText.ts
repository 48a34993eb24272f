import type { MappedText, SchemaMapping } from '../migration/schemaNames.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import type { Session } from './session.ts';

/** How names in stored text are found: `migration/schemaNames.ts`, which needs the parser to be loaded. */
export interface NameMapper {
  readonly mapSchemaNames: (text: string, mapping: SchemaMapping) => MappedText;
  readonly searchPathNames: (value: string) => readonly string[];
}

/** A place in a stored text whose schema name could not be mapped. */
export interface StoredTextFinding {
  /** The function, with its argument types. */
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
}

/**
 * Maps the schema name in what PostgreSQL keeps as text: string bodies of functions, and their SET search_path. Call it
 * in the transaction that renamed the schema to `mapping.to`. `ambiguous` findings mean that the body must not be
 * published: a name in it may or may not be the schema.
 */
export async function rewriteStoredText(
  session: Session,
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<readonly StoredTextFinding[]> {
  const routines = await session.query<Routine>(
    `select p.oid::regprocedure::text as signature, p.proname as name, p.proargnames as argument_names,
            l.lanname as language, p.prosrc as body, p.prosqlbody is null as is_text, p.proconfig as config,
            pg_get_functiondef(p.oid) as definition
       from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace = (select oid from pg_namespace where nspname = $1) and p.prokind <> 'a'
      order by 1`,
    [mapping.to],
  );
  // The verbatim SQL was checked already; here the names stand in another schema than the search_path knows.
  await session.query('set local check_function_bodies = off');
  const findings: StoredTextFinding[] = [];
  for (const routine of routines) {
    findings.push(...(await rewriteBody(session, routine, mapping, mapper)));
    await rewriteSearchPath(session, routine, mapping, mapper);
  }
  return findings;
}

async function rewriteBody(
  session: Session,
  routine: Routine,
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<readonly StoredTextFinding[]> {
  if (!routine.is_text || !['sql', 'plpgsql'].includes(routine.language)) return [];
  const mapped = mapper.mapSchemaNames(routine.body, mapping);
  const findings = mapped.findings.map((finding) => ({ object: routine.signature, ...finding }));
  if (mapped.text === routine.body) return findings.filter(({ kind }) => kind !== 'ambiguous');
  // `f.x` inside function f, and `x.y` for a parameter x, are names too.
  if (routine.name === mapping.from || (routine.argument_names ?? []).includes(mapping.from))
    findings.push({ object: routine.signature, line: 1, kind: 'ambiguous' });
  await session.query(withBody(routine, mapped.text));
  return findings;
}

// pg_get_functiondef ends in `AS $function$<body>$function$` ($procedure$ for one), with x's where the body holds that.
function withBody(routine: Routine, body: string): string {
  const end = /\$(function|procedure)x*\$\s*$/.exec(routine.definition);
  const opening = end === null ? -1 : end.index - routine.body.length;
  if (end === null || routine.definition.slice(opening, end.index) !== routine.body)
    throw new Error(`pg_get_functiondef of ${routine.signature} does not end in its body`);
  const head = routine.definition.slice(0, opening - end[0].trimEnd().length);
  let tag = '$function$';
  while (body.includes(tag)) tag = tag.replace(/\$$/, 'x$');
  return `${head}${tag}${body}${tag}`;
}

async function rewriteSearchPath(
  session: Session,
  routine: Routine,
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<void> {
  const setting = routine.config?.find((each) => each.startsWith('search_path='));
  if (setting === undefined) return;
  const names = mapper.searchPathNames(setting.slice('search_path='.length));
  if (!names.includes(mapping.from)) return;
  const path = names.map((name) => quoteIdentifier(name === mapping.from ? mapping.to : name));
  await session.query(`alter routine ${routine.signature} set search_path to ${path.join(', ')}`);
}
