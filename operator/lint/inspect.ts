import {
  isSplitProblem,
  splitInBatches,
  type SplitProblem,
  type SqlStatement,
} from '../migration/statements.ts';
import { maxApiSqlBytes, maxMigrationSqlBytes, textProblem } from '../migration/textProblem.ts';
import { createCatalog } from './catalog.ts';
import type { LintFinding } from './finding.ts';
import { judgeFunctions } from './functions.ts';
import { ignoresIn } from './ignore.ts';
import { createReader, findingOf, placeOf, type Place, type Report } from './reading.ts';
import { judgeRemovals } from './removals.ts';
import { createRoutines } from './routines.ts';
import type { LintIgnore, LintSource } from './source.ts';
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
  /** For each source the places of its statements; undefined for API SQL, what was applied, and what does not parse. */
  readonly places: readonly (readonly StatementPlace[] | undefined)[];
  /** For each source what comments in it ignore. */
  readonly ignores: readonly (readonly LintIgnore[])[];
}

/**
 * Our rules over all sources of one ApiSchema, in the order in which they run: migrations, contractions, API SQL. Pure;
 * needs `loadSqlParser`. Ignored rules are still in the result. No more than a part of one source is in memory as parse
 * trees.
 */
export function inspectSources(sources: readonly LintSource[], schema: string): Inspection {
  const findings: LintFinding[] = [];
  const report: Report = (rule, at, message, line) => {
    if (at.source.applied !== true) findings.push(findingOf(rule, at, message, line));
  };
  const relations = createCatalog(report);
  const routines = createRoutines();
  const read: Place[] = [];
  const places = sources.map((source) => {
    const own: StatementPlace[] = [];
    const isPending = source.kind !== 'api' && source.applied !== true;
    const take = createReader(source);
    for (const batch of batchesOf(source)) {
      if (isSplitProblem(batch)) {
        const { statement: number, line, message } = batch;
        report('pgrst/syntax-error', { source, number, line, text: '', path: ['public'] }, message);
        return undefined;
      }
      for (const statement of batch) {
        const at = take(statement);
        const onNew = relations.read(at);
        routines.read(at);
        judgeStatement(at, onNew, relations.catalog, schema, report);
        read.push(placeOf(at));
        if (isPending) own.push(statementPlace(source, statement, onNew));
      }
    }
    return isPending ? own : undefined;
  });
  judgeViews(relations.catalog, schema, report);
  judgeFunctions(routines.routines(), schema, report);
  judgeRemovals(read, relations.catalog, report);
  return { findings, places, ignores: sources.map(({ sql }) => ignoresIn(sql)) };
}

function* batchesOf({ kind, sql }: LintSource): Generator<readonly SqlStatement[] | SplitProblem, void> {
  const problem = textProblem(sql, kind === 'api' ? maxApiSqlBytes : maxMigrationSqlBytes);
  if (problem === undefined) yield* splitInBatches(sql);
  else yield { statement: 1, line: problem.line ?? 1, message: problem.message };
}

function statementPlace(
  { sql }: LintSource,
  { number, line, offset, text }: SqlStatement,
  onNew: boolean,
): StatementPlace {
  const column = Buffer.byteLength(sql.slice(sql.lastIndexOf('\n', offset - 1) + 1, offset));
  return { number, line, column, offset, length: text.length, onNew };
}
