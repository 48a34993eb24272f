import type { LintIgnore } from './source.ts';

/**
 * The comments `-- pgrst-ignore <rule>: <reason>` of a text, each on a line of its own. They hold for the whole text, and
 * only with a reason.
 */
export function ignoresIn(sql: string): readonly LintIgnore[] {
  return [...sql.matchAll(/^[ \t]*--[ \t]*pgrst-ignore[ \t]+([\w/-]+):[ \t]*(\S.*)$/gm)].map(
    ([, rule = '', reason = '']) => ({ rule, reason: reason.trim() }),
  );
}
