import { isSplitProblem, splitSql } from '../migration/statements.ts';
import { readCatalog } from './catalog.ts';
import type { LintFinding } from './finding.ts';
import { judgeFunctions } from './functions.ts';
import { findingOf, readStatements, type ReadStatement, type Report } from './reading.ts';
import { judgeRemovals } from './removals.ts';
import { readRoutines } from './routines.ts';
import { rules } from './rules.ts';
import type { LintSource } from './source.ts';
import { judgeStatement } from './statementRules.ts';
import { judgeViews } from './views.ts';

/** Where a statement begins and ends in its source, and whom it can disturb. */
export interface StatementPlace {
  /** Counted from 1. */
  readonly number: number;
  /** Of its first word, counted from 1. */
  readonly line: number;
  /** Bytes (UTF-8) before it in that line. */
  readonly column: number;
  /** Offset and length in the source, in UTF-16 units. */
  readonly offset: number;
  readonly length: number;
  /** Whether it touches only tables that the pending sources themselves create: nobody waits for those yet. */
  readonly onNew: boolean;
}

/** What our own rules say of a set of sources. Plain data: it may cross a thread. */
export interface Inspection {
  readonly findings: readonly LintFinding[];
  /** For each source the places of its statements; undefined where it does not parse. */
  readonly places: readonly (readonly StatementPlace[] | undefined)[];
}

/**
 * Our rules over all sources of one ApiSchema, in the order in which they run: migrations, contractions, API SQL. Pure;
 * needs `loadSqlParser`. Ignored rules are still in the result.
 */
export function inspectSources(sources: readonly LintSource[], schema: string): Inspection {
  const findings: LintFinding[] = [];
  const report: Report = (rule, at, message, line) => {
    if (at.source.applied !== true) findings.push(findingOf(rule, at, message, line));
  };
  const read = sources.map((source): readonly ReadStatement[] | undefined => {
    const statements = splitSql(source.sql);
    if (!isSplitProblem(statements)) return readStatements(source, statements);
    const { statement, line, message } = statements;
    if (source.applied !== true)
      findings.push({
        rule: 'pgrst/syntax-error',
        source: source.name,
        statement,
        line,
        message,
        ...rules['pgrst/syntax-error'],
      });
    return undefined;
  });
  const statements = read.flatMap((list) => list ?? []);
  const catalog = readCatalog(statements, report);
  for (const at of statements) judgeStatement(at, catalog, schema, report);
  judgeViews(catalog, schema, report);
  judgeFunctions(readRoutines(statements), schema, report);
  judgeRemovals(statements, catalog, report);
  return {
    findings,
    places: read.map((list) => list?.map((at) => placeOf(at, catalog.onNew.has(at)))),
  };
}

function placeOf({ source: { sql }, statement }: ReadStatement, onNew: boolean): StatementPlace {
  const { number, line, offset, text } = statement;
  const column = Buffer.byteLength(sql.slice(sql.lastIndexOf('\n', offset - 1) + 1, offset));
  return { number, line, column, offset, length: text.length, onNew };
}
