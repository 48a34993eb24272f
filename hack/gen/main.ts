// `npm run gen` writes the generated files; `npm run gen -- --check` writes nothing and fails when one is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { generatedFiles } from './files.ts';
import { summariseDifference } from './difference.ts';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

let stale = 0;
for (const [path, content] of generatedFiles()) {
  const file = join(root, path);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (before === content) continue;
  stale += 1;
  if (values.check) {
    console.log(`${path} is stale: run npm run gen\n${summariseDifference(before ?? '', content)}`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`${path} written`);
}
if (values.check && stale > 0) process.exitCode = 1;
else if (stale === 0) console.log('generated files: all up to date');
