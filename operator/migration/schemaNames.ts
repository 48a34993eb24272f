import { isProblem, scanSql, type Token } from './parser.ts';
import { createLineCursor } from './statements.ts';

/** A place where a name could not be mapped with certainty. */
export interface NameFinding {
  /** Line in the text that was searched, counted from 1. */
  readonly line: number;
  /**
   * `string`: a string constant seems to name the schema (dynamic SQL, set_config, to_regclass): it is left as it is.
   * `ambiguous`: the name also stands for something else in this text (an alias, a variable, a column).
   * `unscannable`: the text is not SQL to the scanner, and holds the name.
   */
  readonly kind: 'string' | 'ambiguous' | 'unscannable';
}

/** A text after its schema names were mapped. */
export interface MappedText {
  readonly text: string;
  readonly findings: readonly NameFinding[];
}

/** From which schema name to which. */
export interface SchemaMapping {
  readonly from: string;
  readonly to: string;
}

/**
 * Maps a schema name in SQL or PL/pgSQL that PostgreSQL keeps as text. Works on tokens of PostgreSQL's own scanner and
 * changes a name only where it can be nothing but a schema: before a dot (`api.x`, `"api".x`), after SCHEMA, and in the
 * list of SET search_path. Strings and comments are never touched. Doing it twice changes nothing more.
 */
export function mapSchemaNames(text: string, mapping: SchemaMapping): MappedText {
  const scanned = scanSql(text);
  if (isProblem(scanned))
    return {
      text,
      findings: text.includes(mapping.from) ? [{ line: 1, kind: 'unscannable' }] : [],
    };
  const bytes = Buffer.from(text);
  const lines = createLineCursor(bytes);
  const tokens = scanned.filter((token) => token.kind !== 'comment');
  const uses = tokens.map((token, index) => useOf(tokens, index, token, mapping.from));
  const qualified = uses.includes('schema');
  const findings = tokens.flatMap((token, index): NameFinding[] => {
    if (token.kind === 'string' && stringNames(token.text, mapping.from))
      return [{ line: lines.lineOf(token.start), kind: 'string' }];
    return qualified && uses[index] === 'other'
      ? [{ line: lines.lineOf(token.start), kind: 'ambiguous' }]
      : [];
  });
  const parts: string[] = [];
  let end = 0;
  tokens.forEach((token, index) => {
    if (uses[index] !== 'schema') return;
    parts.push(
      bytes.subarray(end, token.start).toString(),
      token.text.startsWith('"') ? `"${mapping.to}"` : mapping.to,
    );
    end = token.end;
  });
  return { text: parts.join('') + bytes.subarray(end).toString(), findings };
}

/** The elements of a search_path as pg_proc.proconfig keeps it (`api, "$user"`), each unquoted. */
export function searchPathNames(value: string): readonly string[] {
  const scanned = scanSql(value);
  if (isProblem(scanned)) return [];
  return scanned.filter((token) => token.text !== ',').map((token) => nameOf(token));
}

function useOf(
  tokens: readonly Token[],
  index: number,
  token: Token,
  schema: string,
): 'schema' | 'other' | undefined {
  if (token.kind !== 'identifier' && token.kind !== 'keyword') return undefined;
  if (nameOf(token) !== schema) return undefined;
  if (tokens[index - 1]?.text === '.') return isRelation(tokens, index, schema) ? 'other' : undefined;
  if (tokens[index + 1]?.text === '.') return 'schema';
  if (tokens[index - 1]?.text.toLowerCase() === 'schema') return 'schema';
  return inSearchPath(tokens, index) ? 'schema' : 'other';
}

// FROM x.api without an alias makes `api` the name of the rows, so that `api.id` is a column of theirs. Behind a comma it
// may be a column as well (t.api), which is no such thing, unless it is api.api.
function isRelation(tokens: readonly Token[], index: number, schema: string): boolean {
  const next = tokens[index + 1];
  if (next?.kind === 'identifier' || next?.text.toLowerCase() === 'as') return false;
  const qualifier = tokens[index - 2];
  const before = tokens[index - 3]?.text.toLowerCase() ?? '';
  if (['from', 'join', 'update', 'into', 'using', 'only'].includes(before)) return true;
  return before === ',' && next?.text !== '(' && qualifier !== undefined && nameOf(qualifier) === schema;
}

// Backwards over `name, name` to SET [LOCAL | SESSION] search_path {= | TO}.
function inSearchPath(tokens: readonly Token[], index: number): boolean {
  let at = index - 1;
  while (tokens[at]?.text === ',') at -= 2;
  const sign = tokens[at]?.text.toLowerCase();
  return (
    (sign === '=' || sign === 'to') &&
    tokens[at - 1]?.text.toLowerCase() === 'search_path' &&
    /^(set|local|session)$/i.test(tokens[at - 2]?.text ?? '')
  );
}

// Unquoted identifiers are folded to lower case by the server (only ASCII matters: schema names are ASCII here).
function nameOf(token: Token): string {
  return token.text.startsWith('"')
    ? token.text.slice(1, -1).replaceAll('""', '"')
    : token.text.toLowerCase();
}

// `api.x` or `"api".x` inside the string, the bare name as the whole string, or a search_path in a string.
function stringNames(literal: string, schema: string): boolean {
  const qualified = new RegExp(`(^|[^\\w$.])"?${schema}"?\\s*\\.\\s*["\\w%]`, 'i');
  if (qualified.test(literal)) return true;
  const content = literal.replace(/^(?:[eE]|[uU]&)?'|'$|^\$\w*\$|\$\w*\$$/g, '').trim();
  return content.split(',').some((name) => name.trim().replace(/^"|"$/g, '') === schema);
}
