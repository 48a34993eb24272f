import type { LintFinding } from './finding.ts';
import type { StatementPlace } from './inspect.ts';
import { rules } from './rules.ts';
import type { LintSource } from './source.ts';
import type { Squawk, SquawkReport } from './squawk.ts';
import { squawkRules } from './squawkRules.ts';

/** A source that squawk reads: one whose places are known, so pending, no API SQL, and one that parses. */
interface Entry {
  readonly source: LintSource;
  readonly places: readonly StatementPlace[];
  /** Its text; what squawk could not read is blanked. */
  readonly text: string;
}

/** Characters for one process: bounds its memory, and how long its answer holds the event loop. */
const batchSize = 65_536;

/**
 * squawk's findings for migrations and contractions. API SQL holds nothing that its rules are about. `places` is the
 * inspection's, one for each source.
 */
export async function squawkFindings(
  sources: readonly LintSource[],
  places: readonly (readonly StatementPlace[] | undefined)[],
  squawk: Squawk,
  signal: AbortSignal,
): Promise<readonly LintFinding[]> {
  const entries = sources.flatMap((source, index): readonly Entry[] => {
    const known = places[index];
    if (known === undefined || known.length === 0) return [];
    // It would switch squawk off for all texts of the same process.
    return [
      { source, places: known, text: source.sql.replaceAll('squawk-ignore-file', 'squawk ignore-file') },
    ];
  });
  const findings: LintFinding[] = [];
  for (const batch of batchesOf(entries)) findings.push(...(await judge(batch, squawk, signal)));
  return findings;
}

function batchesOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const batches: Entry[][] = [];
  let size = batchSize;
  for (const entry of entries) {
    if (size + entry.text.length > batchSize) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)?.push(entry);
    size += entry.text.length;
  }
  return batches;
}

/**
 * One statement that squawk cannot read hides all of its findings in the text: such statements are blanked and the rest is
 * read again. Where that does not help the whole source is.
 */
async function judge(
  batch: readonly Entry[],
  squawk: Squawk,
  signal: AbortSignal,
): Promise<readonly LintFinding[]> {
  const unread = new Map<StatementPlace, LintFinding>();
  let entries = batch;
  for (let round = 0; round < 20; round += 1) {
    const located = locate(await squawk(joined(entries).sql, signal), entries);
    const broken = located.filter(({ rule }) => rule === 'syntax-error');
    if (broken.length === 0) return [...unread.values(), ...located.flatMap(findingOf)];
    entries = entries.map((entry) => {
      const places = new Set(broken.filter((report) => report.entry === entry).map(({ place }) => place));
      if ([...places].some((place) => unread.has(place))) return { ...entry, text: '' };
      for (const place of places) unread.set(place, unreadFinding(entry.source, place));
      return places.size === 0 ? entry : { ...entry, text: blank(entry.text, places) };
    });
  }
  return [...unread.values()];
}

function locate(reports: readonly SquawkReport[], entries: readonly Entry[]): readonly Located[] {
  const { firstLines } = joined(entries);
  return reports.flatMap(({ rule, line, column, message }) => {
    const index = firstLines.findLastIndex((first) => first <= line);
    const entry = entries[index];
    const first = firstLines[index];
    if (entry === undefined || first === undefined) return [];
    const place = placeAt(entry.places, line - first + 1, column);
    return place === undefined ? [] : [{ entry, place, rule, message, line: line - first + 1 }];
  });
}

/** All texts as one, each in a transaction of its own: squawk relates the statements of one transaction. */
function joined(entries: readonly Entry[]): { readonly sql: string; readonly firstLines: readonly number[] } {
  const parts: string[] = [];
  const firstLines: number[] = [];
  let line = 1;
  for (const { text } of entries) {
    parts.push('begin;\n', text, '\n;commit;\n');
    firstLines.push(line + 1);
    line += text.split('\n').length + 2;
  }
  return { sql: parts.join(''), firstLines };
}

// A report points at a part of the statement, which begins at or before it.
function placeAt(
  places: readonly StatementPlace[],
  line: number,
  column: number,
): StatementPlace | undefined {
  return (
    places.findLast((place) => place.line < line || (place.line === line && place.column <= column)) ??
    places[0]
  );
}

function blank(text: string, places: ReadonlySet<StatementPlace>): string {
  let blanked = text;
  for (const { offset, length } of places) {
    const spaces = blanked.slice(offset, offset + length).replace(/[^\n]/g, ' ');
    blanked = blanked.slice(0, offset) + spaces + blanked.slice(offset + length);
  }
  return blanked;
}

interface Located {
  readonly entry: Entry;
  readonly place: StatementPlace;
  readonly rule: string;
  readonly message: string;
  readonly line: number;
}

function findingOf({ entry: { source }, place, rule, message, line }: Located): readonly LintFinding[] {
  const known = squawkRules[rule];
  if (known === undefined) return [];
  // A table that the same set creates has no rows, no users and no older release.
  if (place.onNew && rule !== 'identifier-too-long') return [];
  // Taking away is what a contraction is for.
  if (source.kind === 'contraction' && removals.has(rule)) return [];
  return [{ rule, source: source.name, statement: place.number, line, message, ...known }];
}

const removals = new Set([
  'ban-drop-column',
  'ban-drop-table',
  'renaming-column',
  'renaming-table',
  'ban-drop-not-null',
]);

function unreadFinding(source: LintSource, { number, line }: StatementPlace): LintFinding {
  const rule = 'pgrst/not-read-by-squawk';
  const message = 'squawk could not read this statement.';
  return { rule, source: source.name, statement: number, line, message, ...rules[rule] };
}
