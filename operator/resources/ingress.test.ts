import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../runtime/object.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { canaryIngress } from './ingress.ts';
import { readCanary } from './readIngress.ts';

const spec = instanceSpec();
const canary = (weight: number) => canaryIngress(owner, spec, { revision: 4, weight, cookie: 'c' });
const annotation = (name: string) => `nginx.ingress.kubernetes.io/${name}`;

describe('reading a canary gives back what was written', () => {
  test.each([0, 1, 50, 100])('at weight %i', (weight) => {
    expect(readCanary('todo', canary(weight))).toEqual({ revision: 4, weight });
  });
});

describe('a canary that was edited by hand', () => {
  const edited = (annotations: Record<string, string>): KubeObject => {
    const object = canary(50);
    return { ...object, metadata: { ...object.metadata, annotations } };
  };
  const marked = { [annotation('canary')]: 'true' };

  test.each([
    ['without a weight', marked, 0],
    ['with a weight that is no number', { ...marked, [annotation('canary-weight')]: 'half' }, 0],
    ['with a weight over 100', { ...marked, [annotation('canary-weight')]: '250' }, 100],
    ['with a weight below 0', { ...marked, [annotation('canary-weight')]: '-1' }, 0],
    ['that is no canary any more', { [annotation('canary-weight')]: '50' }, 0],
  ])('%s has a weight all the same', (_, annotations, weight) => {
    expect(readCanary('todo', edited(annotations))).toEqual({ revision: 4, weight });
  });

  test('is of the revision that its Service is of, whatever its label says', () => {
    const object = canary(50);
    const labels = { ...object.metadata.labels, 'pgrst.dev/revision': '9' };
    expect(readCanary('todo', { ...object, metadata: { ...object.metadata, labels } })?.revision).toBe(4);
  });

  test("is none when it leads to another instance's Service, or nowhere", () => {
    expect(readCanary('other', canary(50))).toBeUndefined();
    expect(readCanary('todo', { ...canary(50), spec: {} })).toBeUndefined();
  });
});
