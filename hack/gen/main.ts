// `npm run gen` writes the generated files; `npm run gen -- --check` writes nothing and fails when one is stale.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { generatedFiles, generatedFolders, isGenerated } from './files.ts';
import { summariseDifference } from './difference.ts';

const root = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

let stale = 0;
const files = generatedFiles();
for (const [path, content] of files) {
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
for (const path of leftovers()) {
  stale += 1;
  if (!values.check) rmSync(join(root, path));
  console.log(values.check ? `${path} is generated no more: run npm run gen` : `${path} removed`);
}
if (values.check && stale > 0) process.exitCode = 1;
else if (stale === 0) console.log('generated files: all up to date');

/** Files that were generated once, of a kind that is gone. */
function leftovers(): string[] {
  return generatedFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((path) => !files.has(path) && isGenerated(readFileSync(join(root, path), 'utf8')));
}
