import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../runtime/object.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { canaryIngress, mainIngress } from './ingress.ts';
import { readCanary, readMain, rivalIngress } from './readIngress.ts';

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

const away = instanceSpec({ rollout: { from: { service: { name: 'legacy', port: 8000 } } } });

/** An Ingress of the user's own, with the instance's host and path, made as ours is. */
function theirs(change: {
  readonly namespace?: string;
  readonly port?: number;
  readonly pathType?: string;
  readonly path?: string;
  readonly host?: string;
  readonly ingressClassName?: string;
  readonly annotations?: Record<string, string>;
}): KubeObject {
  const {
    namespace = 'shop',
    port = 8000,
    pathType = 'Prefix',
    path = '/',
    host = 'todo.example.com',
  } = change;
  const { annotations = {}, ingressClassName } = change;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'old', namespace, annotations },
    spec: {
      ...(ingressClassName === undefined ? {} : { ingressClassName }),
      rules: [
        {
          host,
          http: {
            paths: [{ path, pathType, backend: { service: { name: 'legacy', port: { number: port } } } }],
          },
        },
      ],
    },
  };
}

describe('a main route that was edited by hand', () => {
  const lead = (path: string, service: object): KubeObject => ({
    ...mainIngress(owner, away, 'from'),
    spec: { rules: [{ http: { paths: [{ path, backend: { service } }] } }] },
  });

  test.each([
    ['leads to the stable Service', lead('/', { name: 'todo', port: { name: 'http' } }), 'stable'],
    ['leads to the old service', lead('/', { name: 'legacy', port: { number: 8000 } }), 'from'],
    ['leads to another port of it', lead('/', { name: 'legacy', port: { number: 9000 } }), undefined],
    ['leads to somebody else', lead('/', { name: 'other', port: { number: 8000 } }), undefined],
    ['has another path', lead('/x', { name: 'todo', port: { name: 'http' } }), undefined],
    ['leads nowhere', { ...mainIngress(owner, away), spec: {} }, undefined],
  ])('is what it %s', (_, ingress, expected) => {
    expect(readMain('todo', away, ingress)).toBe(expected);
  });

  test('is none when it was made a canary', () => {
    const object = mainIngress(owner, away);
    const annotations = { [annotation('canary')]: 'true' };
    expect(
      readMain('todo', away, { ...object, metadata: { ...object.metadata, annotations } }),
    ).toBeUndefined();
  });
});

describe('who else claims host and path', () => {
  const ingressClassName = 'nginx';
  const classAnnotation = { 'kubernetes.io/ingress.class': 'nginx' };

  test.each([
    ['an Ingress with both', theirs({ ingressClassName }), true],
    ['one in another namespace', theirs({ ingressClassName, namespace: 'other' }), true],
    ['one of the class by annotation', theirs({ annotations: classAnnotation }), true],
    ['one of another class', theirs({ ingressClassName: 'internal' }), false],
    ['one without a class', theirs({}), false],
    ['one with another path', theirs({ ingressClassName, path: '/x' }), false],
    ['one with another host', theirs({ ingressClassName, host: 'x.example.com' }), false],
    ['a canary', theirs({ ingressClassName, annotations: { [annotation('canary')]: 'true' } }), false],
  ])('%s', (_, ingress, isRival) => {
    expect(rivalIngress(owner, spec, [mainIngress(owner, spec), ingress])).toBe(
      isRival ? ingress : undefined,
    );
  });

  test('not one that came after ours, for it gets nothing', () => {
    const at = (object: KubeObject, creationTimestamp: string): KubeObject => ({
      ...object,
      metadata: { ...object.metadata, creationTimestamp },
    });
    const ours = at(mainIngress(owner, spec), '2026-11-01T00:00:01Z');
    const older = at(theirs({ ingressClassName }), '2026-11-01T00:00:00Z');
    const younger = at(theirs({ ingressClassName }), '2026-11-01T00:00:02Z');
    expect(rivalIngress(owner, spec, [younger, ours])).toBeUndefined();
    expect(rivalIngress(owner, spec, [younger, ours, older])).toBe(older);
    expect(rivalIngress(owner, spec, [younger])).toBe(younger);
  });

  test('one with a slash more', () => {
    const below = instanceSpec({ expose: { host: 'todo.example.com', path: '/todo' } });
    const ingress = theirs({ ingressClassName, path: '/todo/' });
    expect(rivalIngress(owner, below, [ingress])).toBe(ingress);
  });

  test.each([
    ['nobody, while the old Ingress and ours lead to the same service', 'from', {}, false],
    ['nobody, before there is one of ours', undefined, {}, false],
    ['the old Ingress, once ours leads to the stable Service', 'stable', {}, true],
    ['an old Ingress to another port', 'from', { port: 9000 }, true],
    ["an old Ingress to another namespace's service", 'from', { namespace: 'other' }, true],
    ['an old Ingress that matches in another way', 'from', { pathType: 'ImplementationSpecific' }, true],
  ] as const)('on the way from another service: %s', (_, main, change, isRival) => {
    const ours = main ? [mainIngress(owner, away, main)] : [];
    const old = theirs({ ingressClassName, ...change });
    expect(rivalIngress(owner, away, [old, ...ours])).toBe(isRival ? old : undefined);
  });
});
