import { expect, test } from 'vitest';
import { chartCopies } from './chart.ts';

test('the chart holds every CRD as it is, and nothing else that is generated', () => {
  const files = new Map([
    ['crds/apis.yaml', 'kind: CustomResourceDefinition\n'],
    ['docs/reference/apis.md', '# Reference\n'],
  ]);
  expect([...chartCopies(files)]).toEqual([
    ['charts/postgrest-operator/files/crds/apis.yaml', 'kind: CustomResourceDefinition\n'],
  ]);
});
