import { unwrap, type Body } from '../migration/parseTree.ts';
import type { SqlStatement } from '../migration/statements.ts';
import type { LintFinding } from './finding.ts';
import { rules, type RuleName } from './rules.ts';
import type { LintSource } from './source.ts';
import { bodyOf, itemsOf, textOf } from './tree.ts';

/** One statement of one source, without its parse tree: what may be kept of it. */
export interface Place {
  readonly source: LintSource;
  /** Counted from 1. */
  readonly number: number;
  /** Of its first word in the source, counted from 1. */
  readonly line: number;
  readonly text: string;
  /** The search_path there, as far as the source sets it; what it does not set is `public`. Never empty. */
  readonly path: readonly [string, ...string[]];
}

/** One statement with its parse tree, which takes a hundred times the memory of its text: not to be kept. */
export interface ReadStatement extends Place {
  readonly statement: SqlStatement;
  readonly type: string;
  readonly body: Body;
}

/** What a rule says of one statement. */
export type Report = (rule: RuleName, at: Place, message: string, line?: number) => void;

const defaultPath = ['public'] as const;

/** Reads the statements of one source one by one: each knows the search_path that the source has set before it. */
export function createReader(source: LintSource): (statement: SqlStatement) => ReadStatement {
  let path: Place['path'] = defaultPath;
  return (statement) => {
    const { type, body } = unwrap(statement.node);
    if (type === 'VariableSetStmt' && body['name'] === 'search_path') path = pathOf(body);
    const { number, line, text } = statement;
    return { source, number, line, text, path, statement, type, body };
  };
}

/** The statement without its parse tree. */
export function placeOf({ source, number, line, text, path }: ReadStatement): Place {
  return { source, number, line, text, path };
}

/** The finding of one of our rules. `line` is the statement's own unless the rule knows better. */
export function findingOf(rule: RuleName, at: Place, message: string, line = at.line): LintFinding {
  return { rule, source: at.source.name, statement: at.number, line, message, ...rules[rule] };
}

function pathOf(body: Body): Place['path'] {
  const names = itemsOf(body['args'])
    .flatMap((arg) => textOf(bodyOf(bodyOf(arg['A_Const'])['sval'])['sval']) ?? [])
    .filter((name) => name !== '$user' && name !== '');
  const [first, ...others] = names;
  return first === undefined ? defaultPath : [first, ...others];
}
