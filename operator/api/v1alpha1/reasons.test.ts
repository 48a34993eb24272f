import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReasonDoc } from './reasonDoc.ts';
import { reasonDocs } from './reasonDocs.ts';
import { reasons } from './reasons.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbooks');
const actions = Object.entries<ReasonDoc>(reasonDocs).filter(([, { action }]) => action !== null);

test('a reason is called what it says', () => {
  for (const [name, word] of Object.entries(reasons)) expect(word).toBe(name);
});

describe('every reason that asks somebody to act has a runbook', () => {
  test.each(actions.map(([reason]) => reason))('%s', (reason) => {
    const file = join(folder, `${reason}.md`);
    expect(existsSync(file), `docs/runbooks/${reason}.md`).toBe(true);
    const headings = readFileSync(file, 'utf8').match(/^#.*$/gm);
    expect(headings?.filter((line) => /^##? /.test(line))).toEqual([
      `# ${reason}`,
      '## How to see it',
      '## What to do',
    ]);
  });
});

test('every runbook belongs to a reason that asks somebody to act', () => {
  const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''));
  expect(pages.sort()).toEqual(actions.map(([reason]) => reason).sort());
});

test('no reason stands in the catalogue that nothing says', () => {
  const operator = join(import.meta.dirname, '..', '..');
  const said = readdirSync(operator, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(api|testing)\/|\.test\.ts$/.test(file))
    .map((file) => readFileSync(join(operator, file), 'utf8'))
    .join('\n');
  expect(Object.keys(reasons).filter((reason) => !said.includes(`'${reason}'`))).toEqual([]);
});

test('what is said of a reason are sentences', () => {
  for (const { means, action } of Object.values<ReasonDoc>(reasonDocs))
    for (const text of [means, action ?? 'Nothing.']) expect(text).toMatch(/^[A-Za-z].*\.$/);
});
