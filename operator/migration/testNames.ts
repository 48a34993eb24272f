import { isProblem, parseSql, scanSql } from './parser.ts';
import { mapSchemaNames, type SchemaMapping } from './schemaNames.ts';

/** A string that is the name and nothing else: the schema (`has_view('api', ...)`), or data (`api.search('api')`). */
export type BareNames = 'mapped' | 'kept';

/**
 * Maps the schema name in pgTAP tests, so that they test the release under its own name. Unlike stored text, tests name
 * the schema in strings, and a wrong guess here can only fail a test: strings are mapped that are the name (where `bare`
 * says so), begin with it and a dot, name it after the word for a kind of object (the text of an error), or hold SQL or
 * code of their own. Needs `loadSqlParser`.
 */
export function mapTestNames(text: string, mapping: SchemaMapping, bare: BareNames): string {
  const named = mapSchemaNames(text, mapping).text;
  const tokens = scanSql(named);
  if (isProblem(tokens)) return named;
  const bytes = Buffer.from(named);
  const parts: string[] = [];
  let end = 0;
  for (const token of tokens) {
    if (token.kind !== 'string' || !token.text.includes(mapping.from)) continue;
    parts.push(bytes.subarray(end, token.start).toString(), mapLiteral(token.text, mapping, bare));
    end = token.end;
  }
  return parts.join('') + bytes.subarray(end).toString();
}

function mapLiteral(literal: string, mapping: SchemaMapping, bare: BareNames): string {
  const dollar = /^(\$[^$]*\$)([\s\S]*)\1$/.exec(literal);
  if (dollar !== null) {
    const [, tag = '', content = ''] = dollar;
    // What is in dollar quotes is code, of whatever language.
    return tag + mapText(mapTestNames(content, mapping, bare), mapping, bare) + tag;
  }
  const plain = /^'([\s\S]*)'$/.exec(literal);
  if (plain === null) return literal;
  const content = (plain[1] ?? '').replaceAll("''", "'");
  const mapped = isSql(content) ? mapTestNames(content, mapping, bare) : mapText(content, mapping, bare);
  return `'${mapped.replaceAll("'", "''")}'`;
}

function isSql(text: string): boolean {
  const parsed = parseSql(text);
  return !isProblem(parsed) && parsed.length > 0;
}

function mapText(text: string, { from, to }: SchemaMapping, bare: BareNames): string {
  if (text === from) return bare === 'mapped' ? to : text;
  const kinds =
    'schema|relation|table|view|sequence|function|procedure|aggregate|routine|operator|type|domain|collation';
  return text
    .replace(new RegExp(`^("?)${from}\\1(?=\\.)`), `$1${to}$1`)
    .replace(new RegExp(`(\\b(?:${kinds}) "?)${from}(?=[".]|$|\\s)`, 'g'), `$1${to}`);
}
