import { describe, expect, test } from 'vitest';
import { containsDesired, sameJson, stableJson } from './contains.ts';
import type { KubeObject } from './object.ts';

const object = (fields: Record<string, unknown>, kind = 'Thing'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'a' },
  ...fields,
});

const contained: Record<string, [observed: unknown, desired: unknown]> = {
  'the same': [
    { a: 1, b: ['x'] },
    { a: 1, b: ['x'] },
  ],
  'the keys in another order': [
    { b: 2, a: 1 },
    { a: 1, b: 2 },
  ],
  'a default that the server filled in': [{ a: 1, protocol: 'TCP' }, { a: 1 }],
  'a default inside a list': [{ ports: [{ port: 80, protocol: 'TCP' }] }, { ports: [{ port: 80 }] }],
  'a field that is undefined here': [{ a: 1 }, { a: 1, b: undefined }],
  'empty things that the server leaves out': [{}, { map: {}, list: [], flag: false, zero: 0, text: '' }],
  'quantities in another spelling': [
    { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' }, emptyDir: { sizeLimit: '1Mi' } },
    {
      limits: { cpu: '1000m', memory: '1024Mi' },
      requests: { cpu: '0.1' },
      emptyDir: { sizeLimit: '1024Ki' },
    },
  ],
  'a quantity as a number': [{ limits: { cpu: '2' } }, { limits: { cpu: 2 } }],
  'a container that somebody injected': [
    { containers: [{ name: 'mesh' }, { name: 'gate', image: 'g' }] },
    { containers: [{ name: 'gate', image: 'g' }] },
  ],
  'two mounts of one volume': [
    {
      mounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
    },
    {
      mounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
    },
  ],
};

const missing: Record<string, [observed: unknown, desired: unknown]> = {
  'another value': [{ a: 2 }, { a: 1 }],
  'a value that went away': [{}, { a: 1 }],
  'true where false was asked for': [{ flag: true }, { flag: false }],
  'zero replicas that somebody scaled up': [{ replicas: 3 }, { replicas: 0 }],
  'another type': [{ a: '1' }, { a: 1 }],
  'a list in another order': [{ args: ['b', 'a'] }, { args: ['a', 'b'] }],
  'a list with more in it': [{ args: ['a', 'b'] }, { args: ['a'] }],
  'a named item that went away': [{ env: [{ name: 'B' }] }, { env: [{ name: 'A' }] }],
  'a named item with another value': [
    { env: [{ name: 'A', value: 'x' }] },
    { env: [{ name: 'A', value: 'y' }] },
  ],
  'another quantity': [{ limits: { cpu: '1' } }, { limits: { cpu: '1001m' } }],
  'an annotation that only looks like a quantity': [
    { annotations: { weight: '1' } },
    { annotations: { weight: '1000m' } },
  ],
  'a second mount of one volume that went elsewhere': [
    {
      mounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/c' },
      ],
    },
    {
      mounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
    },
  ],
};

describe('containsDesired', () => {
  test.each(Object.entries(contained))('yes: %s', (_, [observed, desired]) => {
    expect(containsDesired(object({ spec: observed }), object({ spec: desired }))).toBe(true);
  });

  test.each(Object.entries(missing))('no: %s', (_, [observed, desired]) => {
    expect(containsDesired(object({ spec: observed }), object({ spec: desired }))).toBe(false);
  });

  test('stringData of a Secret is found in its data', () => {
    const desired = object({ stringData: { password: 'pässword' } }, 'Secret');
    const data = (text: string) => ({ password: Buffer.from(text).toString('base64') });
    expect(containsDesired(object({ data: data('pässword') }, 'Secret'), desired)).toBe(true);
    expect(containsDesired(object({ data: data('other') }, 'Secret'), desired)).toBe(false);
  });
});

const same: [unknown, unknown][] = [
  [
    { b: [{ d: 1, c: undefined }], a: 'ü"' },
    { a: 'ü"', b: [{ d: 1 }] },
  ],
  [{ a: null }, { a: null }],
  [{}, { a: undefined }],
  [[], []],
];
const different: [unknown, unknown][] = [
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 2]],
  [{ a: 1 }, { a: '1' }],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: 1, b: 2 }, { a: 1 }],
  [{}, []],
  [{ a: null }, { a: {} }],
  [{ a: null }, {}],
];

describe('sameJson and stableJson', () => {
  test.each(same)('the same: %j and %j', (a, b) => {
    expect([sameJson(a, b), sameJson(b, a), stableJson(a) === stableJson(b)]).toEqual([true, true, true]);
    expect(JSON.parse(stableJson(a))).toEqual(JSON.parse(JSON.stringify(a)));
  });

  test.each(different)('not the same: %j and %j', (a, b) => {
    expect([sameJson(a, b), sameJson(b, a), stableJson(a) === stableJson(b)]).toEqual([false, false, false]);
  });
});
