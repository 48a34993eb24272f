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
  /** Names of targets that something in the routine's own schema has as well: without a schema, that may be meant. */
  readonly own: readonly string[];
}

/** A target that a body may name. */
export interface Mention {
  /** Its index. */
  readonly target: number;
  /** It is named, and nothing else can be meant; false: `select *`, a name of its own schema, what only takes less. */
  readonly isSure: boolean;
}

/**
 * Which targets a body of SQL or PL/pgSQL may name, for each body. Works on tokens of PostgreSQL's scanner, without a
 * parse: a name that could be the target counts, a name that stands behind another schema does not. A column counts where
 * the body names its table as well. Comments do not count, string constants (dynamic SQL) do.
 */
export function findMentions(
  bodies: readonly StoredBody[],
  targets: readonly SoughtTarget[],
): readonly (readonly Mention[])[] {
  return bodies.map((body) => {
    const words = wordsOf(body.text);
    return targets.flatMap((target, index) => {
      const certainty = mention(words, target, body, body.rowsOf.includes(index));
      return certainty === undefined ? [] : [{ target: index, isSure: certainty === 'sure' }];
    });
  });
}

type Certainty = 'sure' | 'maybe' | undefined;

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

function mention(
  words: readonly Word[],
  target: SoughtTarget,
  { own }: StoredBody,
  isRow: boolean,
): Certainty {
  if (target.kind === 'extension') return undefined;
  const isDefinite = target.change === 'dropped' || target.change === 'renamed';
  const named = isRow ? 'sure' : strongest(words.map((_, at) => naming(words, at, target, own)));
  if (named === undefined || (target.change === 'tightened' && !writes(words))) return undefined;
  if (target.column === undefined) return isRow || !isDefinite ? 'maybe' : named;
  if (target.change === 'tightened' || target.change === 'revoked') return 'maybe';
  const { column } = target;
  if (words.some((word) => (word.isName && word.name === column) || inString(word, column))) return named;
  const isWhole = words.some((_, at) => takesAllColumns(words, at) || insertsByPosition(words, at, target));
  return isWhole && !isRow ? 'maybe' : undefined;
}

function strongest(all: readonly Certainty[]): Certainty {
  return all.find((each) => each === 'sure') ?? all.find((each) => each !== undefined);
}

// What is narrowed stands in the way of those that write only.
function writes(words: readonly Word[]): boolean {
  return words.some(
    (word) =>
      (word.isName && /^(insert|update|merge)$/.test(word.name)) ||
      (word.string !== undefined && /insert|update|merge/i.test(word.string)),
  );
}

/** Whether the word may stand for the target, or for the relation of a column. */
function naming(words: readonly Word[], at: number, target: SoughtTarget, own: readonly string[]): Certainty {
  const word = words[at];
  if (word === undefined) return undefined;
  const loose = own.includes(target.name) ? 'maybe' : 'sure';
  if (inString(word, target.name)) return loose;
  if (!word.isName || word.name !== target.name) return undefined;
  if (target.kind === 'schema') return words[at + 1]?.name === '.' ? 'sure' : 'maybe';
  if (words[at - 1]?.name === '.')
    return target.schemas.includes(words[at - 2]?.name ?? '') ? 'sure' : undefined;
  return couldBe[target.kind](words[at - 1], words[at + 1]) ? loose : undefined;
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
