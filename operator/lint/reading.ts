import type { Body } from '../migration/parseTree.ts';
import { unwrap } from '../migration/parseTree.ts';
import type { SqlStatement } from '../migration/statements.ts';
import type { LintFinding } from './finding.ts';
import { rules, type RuleName } from './rules.ts';
import type { LintSource } from './source.ts';
import { bodyOf, itemsOf, textOf } from './tree.ts';

/** One statement of one source, with what is known where it stands. */
export interface ReadStatement {
  readonly source: LintSource;
  readonly statement: SqlStatement;
  readonly type: string;
  readonly body: Body;
  /** The search_path there, as far as the source sets it; what it does not set is `public`. Never empty. */
  readonly path: readonly [string, ...string[]];
}

/** What a rule says of one statement. */
export type Report = (rule: RuleName, at: ReadStatement, message: string, line?: number) => void;

const defaultPath = ['public'] as const;

/** The statements of a source, each with the search_path that the source has set before it. */
export function readStatements(source: LintSource, statements: readonly SqlStatement[]): ReadStatement[] {
  let path: ReadStatement['path'] = defaultPath;
  return statements.map((statement) => {
    const { type, body } = unwrap(statement.node);
    if (type === 'VariableSetStmt' && body['name'] === 'search_path') path = pathOf(body);
    return { source, statement, type, body, path };
  });
}

/** The finding of one of our rules. `line` is the statement's own unless the rule knows better. */
export function findingOf(
  rule: RuleName,
  { source, statement }: ReadStatement,
  message: string,
  line = statement.line,
): LintFinding {
  return { rule, source: source.name, statement: statement.number, line, message, ...rules[rule] };
}

function pathOf(body: Body): ReadStatement['path'] {
  const names = itemsOf(body['args'])
    .flatMap((arg) => textOf(bodyOf(bodyOf(arg['A_Const'])['sval'])['sval']) ?? [])
    .filter((name) => name !== '$user' && name !== '');
  const [first, ...others] = names;
  return first === undefined ? defaultPath : [first, ...others];
}
