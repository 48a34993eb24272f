import type { ContractionTarget } from './contractionTargets.ts';
import { isProblem, scanSql, type Token } from './parser.ts';

/** A target, with the schemas that its name is looked for in. */
export interface SoughtTarget extends ContractionTarget {
  /** Where an unqualified name would be found: the target's schema, or those of the search_path. */
  readonly schemas: readonly string[];
}

/** The body of a routine as PostgreSQL keeps it. */
export interface StoredBody {
  readonly text: string;
  /** It is the trigger function of the relation of these targets (their indexes): NEW and OLD are rows of it. */
  readonly rowsOf: readonly number[];
}

/**
 * Which targets a body of SQL or PL/pgSQL may name: for each body the indexes of them. Works on tokens of PostgreSQL's
 * scanner, without a parse: a name that could be the target counts, a name that stands behind another schema does not. A
 * column counts where the body names its table as well. Comments do not count, string constants (dynamic SQL) do.
 */
export function findMentions(
  bodies: readonly StoredBody[],
  targets: readonly SoughtTarget[],
): readonly (readonly number[])[] {
  return bodies.map((body) => {
    const words = wordsOf(body.text);
    return targets.flatMap((target, index) =>
      mentions(words, target, body.rowsOf.includes(index)) ? [index] : [],
    );
  });
}

interface Word {
  /** As the server folds it; of other tokens the text. */
  readonly name: string;
  readonly isName: boolean;
  /** The content of a string constant. */
  readonly string?: string;
}

function wordsOf(body: string): readonly Word[] {
  const tokens = scanSql(body);
  // What does not scan (PL/pgSQL may hold other languages) is one long string: its words count.
  if (isProblem(tokens)) return [{ name: '', isName: false, string: body }];
  return tokens.filter(({ kind }) => kind !== 'comment').map(wordOf);
}

function wordOf({ kind, text }: Token): Word {
  if (kind === 'string') return { name: '', isName: false, string: text };
  const isName = kind === 'identifier' || kind === 'keyword';
  return { name: isName ? fold(text) : text, isName };
}

function fold(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}

function mentions(words: readonly Word[], target: SoughtTarget, isRow: boolean): boolean {
  if (target.kind === 'extension') return false;
  if (target.column === undefined)
    return words.some((_, at) => namesTarget(words, at, target)) && writesIfTightened(words, target);
  const { column } = target;
  if (!isRow && !words.some((_, at) => namesTarget(words, at, target))) return false;
  if (target.change === 'tightened') return isRow || writesIfTightened(words, target);
  return words.some(
    (word, at) =>
      (word.isName && word.name === column) ||
      inString(word, column) ||
      takesAllColumns(words, at) ||
      insertsByPosition(words, at, target),
  );
}

// What is narrowed stands in the way of those that write only.
function writesIfTightened(words: readonly Word[], { change }: SoughtTarget): boolean {
  if (change !== 'tightened') return true;
  return words.some(
    (word) =>
      (word.isName && /^(insert|update|merge)$/.test(word.name)) ||
      (word.string !== undefined && /insert|update|merge/i.test(word.string)),
  );
}

function namesTarget(words: readonly Word[], at: number, target: SoughtTarget): boolean {
  const word = words[at];
  if (word === undefined) return false;
  if (inString(word, target.name)) return true;
  if (!word.isName || word.name !== target.name) return false;
  if (target.kind === 'schema') return true;
  if (words[at - 1]?.name === '.') return target.schemas.includes(words[at - 2]?.name ?? '');
  return couldBe[target.kind](words[at - 1], words[at + 1]);
}

const before = {
  relation: new Set([
    ...[
      'from',
      'join',
      'into',
      'update',
      'table',
      'only',
      'using',
      'lock',
      'truncate',
      ',',
      '(',
      '::',
      'setof',
    ],
    ...['as', 'exists', 'on', 'view', 'sequence', 'copy', 'analyze'],
  ]),
  type: new Set(['::', 'as', 'setof', 'returns', 'of', 'returning', 'array']),
};

/** Whether a name without a schema can stand for such a thing here; a column or a variable may have the name too. */
const couldBe: Readonly<
  Record<'relation' | 'routine' | 'type' | 'extension', (previous?: Word, next?: Word) => boolean>
> = {
  relation: (previous, next) =>
    (previous !== undefined && (before.relation.has(previous.name) || isDeclaration(previous))) ||
    next?.name === '%',
  routine: (_, next) => next?.name === '(',
  type: (previous, next) =>
    (previous !== undefined && (before.type.has(previous.name) || isDeclaration(previous))) ||
    next?.string !== undefined ||
    next?.name === '[',
  extension: () => false,
};

// `x tasks;`: a name right before a name declares a variable of that type (or gives an alias).
function isDeclaration(previous: Word): boolean {
  return (
    previous.isName &&
    !/^(select|where|and|or|not|by|when|then|else|set|return|if|case|distinct|having|on|in|is|like|between|perform|elsif|while|limit)$/.test(
      previous.name,
    )
  );
}

// `select *`, `t.*`, `returning *`: not the star of count(*) or of a multiplication.
function takesAllColumns(words: readonly Word[], at: number): boolean {
  if (words[at]?.name !== '*') return false;
  return /^(select|distinct|all|returning|\.|,)$/.test(words[at - 1]?.name ?? '');
}

// INSERT INTO t VALUES ...: the columns are counted, not named.
function insertsByPosition(words: readonly Word[], at: number, target: SoughtTarget): boolean {
  if (words[at]?.name !== 'into' || words[at - 1]?.name !== 'insert') return false;
  let end = at + 1;
  while (words[end + 1]?.name === '.') end += 2;
  if (words[end]?.name !== target.name) return false;
  return words[end + 1]?.name !== '(' && words[end + 1]?.name !== 'default';
}

function inString({ string }: Word, name: string): boolean {
  if (string === undefined) return false;
  const word = new RegExp(`(?<![\\w$])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w$])`, 'i');
  return word.test(string);
}
