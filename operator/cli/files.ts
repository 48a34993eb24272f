import { readFileSync } from 'node:fs';
import type { LintSource } from '../lint/source.ts';

/** A source, and where its text stands. */
export interface LocatedSource {
  readonly source: LintSource;
  /** The file and line of a line (counted from 1) of the source. */
  readonly locate: (line: number) => Location;
}

/** A line, counted from 1, of a file as the user named it. */
export interface Location {
  readonly file: string;
  readonly line: number;
}

/** The command cannot do what it was asked to: told without a stack, exit code 2. */
export class UsageError extends Error {}

/**
 * A file's text.
 * @throws UsageError when there is none to read.
 */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A .sql file as a source. */
export function sqlFile(file: string, kind: LintSource['kind'], name: string): LocatedSource {
  return {
    source: { kind, name, sql: readText(file), ignore: [] },
    locate: (line) => ({ file, line }),
  };
}

/** Several files as one text, as `api.sqlFrom` joins them. */
export function joinSources(name: string, parts: readonly LocatedSource[]): LocatedSource {
  const starts: number[] = [];
  let line = 1;
  for (const { source } of parts) {
    starts.push(line);
    line += source.sql.split('\n').length;
  }
  return {
    source: {
      kind: 'api',
      name,
      sql: parts.map(({ source }) => source.sql).join('\n'),
      ignore: parts.flatMap(({ source }) => source.ignore),
    },
    locate: (at) => {
      const index = starts.findLastIndex((start) => start <= at);
      return parts[index]?.locate(at - (starts[index] ?? 1) + 1) ?? { file: name, line: at };
    },
  };
}
