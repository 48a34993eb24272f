/** The parts of the test suite, cheapest first: the order they run in. */
export const parts = ['check', 'unit', 'pg', 'api', 'e2e'] as const;

/** One part of the test suite. */
export type Part = (typeof parts)[number];

/** What to run. */
export interface Selection {
  /** In the order of `parts`, without repetition. */
  readonly parts: readonly Part[];
  /** Handed to vitest as they are: file filters, `-t pattern`, `-u`. */
  readonly vitest: readonly string[];
}

const isPart = (word: string | undefined): word is Part => parts.some((part) => part === word);

/**
 * Reads the command line: names of parts first, then what vitest gets; a `--` between the two is optional. Without a
 * name all parts run, except that arguments for vitest leave `check` out, which has no use for them.
 */
export function parseArguments(words: readonly string[]): Selection {
  const end = words.findIndex((word) => !isPart(word));
  const named = new Set(words.slice(0, end === -1 ? words.length : end));
  const rest = end === -1 ? [] : words.slice(end);
  const vitest = rest[0] === '--' ? rest.slice(1) : rest;
  const wanted = (part: Part): boolean =>
    named.size === 0 ? vitest.length === 0 || part !== 'check' : named.has(part);
  return { parts: parts.filter(wanted), vitest };
}
