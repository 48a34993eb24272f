import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chartCopies, chartCrds } from './chart.ts';

const root = join(import.meta.dirname, '..', '..');

/** The texts of a folder's files by their path from the root. */
function read(folder: string): Map<string, string> {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.yaml'));
  return new Map(names.map((name) => [`${folder}/${name}`, readFileSync(join(root, folder, name), 'utf8')]));
}

test('the chart holds every CRD as it is, and nothing else that is generated', () => {
  const files = new Map([
    ['crds/apis.yaml', 'kind: CustomResourceDefinition\n'],
    ['docs/reference/apis.md', '# Reference\n'],
  ]);
  expect([...chartCopies(files)]).toEqual([
    ['charts/postgrest-operator/files/crds/apis.yaml', 'kind: CustomResourceDefinition\n'],
  ]);
});

test('the copies in the chart are those of today, with none left of a CRD that is gone', () => {
  expect(read(chartCrds)).toEqual(chartCopies(read('crds')));
});
