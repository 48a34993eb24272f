import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LintRule } from './finding.ts';
import { rules } from './rules.ts';
import { squawkRules, switchedOff } from './squawkRules.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/lint.md'), 'utf8');

/** The rows of the page's tables, cells without the blanks around them. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map((cells) => cells.slice(1, -1));

const rowsOf = (table: Readonly<Record<string, LintRule>>): string[][] =>
  Object.entries(table).map(([rule, { level, why, fix }]) => [`\`${rule}\``, level, why, fix]);

test('the page lists every rule with its level, why, and the safe way', () => {
  expect(rows).toEqual([
    ...rowsOf(rules),
    ...rowsOf(squawkRules),
    ...Object.entries(switchedOff).map(([rule, why]) => [`\`${rule}\``, why]),
  ]);
});
