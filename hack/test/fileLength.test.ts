import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../lib/exec.ts';
import { counts, tooLongFiles } from './fileLength.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-test-length-'));
  await run('git', ['init', '--quiet'], { cwd: folder });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a file of 400 lines is short enough, one of 401 is not, whether git knows it yet or not', async () => {
  writeFileSync(join(folder, 'short.ts'), 'x\n'.repeat(400));
  writeFileSync(join(folder, 'long.ts'), 'x\n'.repeat(401));
  writeFileSync(join(folder, 'ignored.ts'), 'x\n'.repeat(401));
  writeFileSync(join(folder, '.gitignore'), 'ignored.ts\n');
  const found = await tooLongFiles(folder);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('long.ts has 401 lines');
});

test.each([
  ['operator/main.ts', true],
  ['charts/postgrest-operator/values.yaml', true],
  ['charts/postgrest-operator/files/crds/x.yaml', false],
  ['crds/x.yaml', false],
  ['operator/resources/__golden__/x.yaml', false],
  ['hack/toolchain/helm/go.sum', false],
  ['package-lock.json', false],
])('%s counts: %s', (path, expected) => {
  expect(counts(path)).toBe(expected);
});
