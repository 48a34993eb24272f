import { describe, expect, it } from 'vitest';
import type { KubeObject } from './object.ts';
import { createManagedFieldsCutter, ownsNothingBeside } from './ownedFields.ts';

const desired: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'todo',
    namespace: 'shop',
    labels: { app: 'todo' },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'X', name: 'x', uid: '0b1c3a52-7a38-4d1c-9d53-0f5b8b7e0a11' },
    ],
    finalizers: ['example.test/a'],
  },
  spec: { replicas: 0, containers: [{ name: 'gate', ports: [{ containerPort: 8080 }] }] },
};
const owner = 'k:{"uid":"0b1c3a52-7a38-4d1c-9d53-0f5b8b7e0a11"}';
const all = {
  'f:metadata': {
    'f:labels': { 'f:app': {} },
    'f:ownerReferences': { [owner]: {} },
    'f:finalizers': { 'v:"example.test/a"': {} },
  },
  'f:spec': {
    'f:replicas': {},
    'f:containers': {
      'k:{"name":"gate"}': {
        '.': {},
        'f:name': {},
        'f:ports': { 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
      },
    },
  },
};
const ours = (fieldsV1: object, entry: object = {}) => ({
  manager: 'postgrest-operator',
  operation: 'Apply',
  fieldsV1,
  ...entry,
});
const observed = (...managedFields: object[]): KubeObject => ({
  ...desired,
  metadata: { ...desired.metadata, managedFields },
});
const more = (path: string, fields: object) => ({ ...all, [path]: fields });

const table: [string, KubeObject, boolean][] = [
  ['all that we own is desired', observed(ours(all)), true],
  ['others own what they like', observed({ manager: 'kubelet', fieldsV1: { 'f:x': {} } }, ours(all)), true],
  ['we own a field beside', observed(ours(more('f:spec', { 'f:paused': {} }))), false],
  ['we own a label beside', observed(ours(more('f:metadata', { 'f:labels': { 'f:tier': {} } }))), false],
  [
    'we own a container beside',
    observed(ours(more('f:spec', { 'f:containers': { 'k:{"name":"x"}': {} } }))),
    false,
  ],
  [
    'we own a finalizer beside',
    observed(ours(more('f:metadata', { 'f:finalizers': { 'v:"b"': {} } }))),
    false,
  ],
  ['a path that we do not know', observed(ours(more('f:spec', { 'i:0': {} }))), false],
  ['nobody knows what we own', desired, false],
  ['we own fields of two versions of the API', observed(ours(all), ours({ 'f:x': {} })), false],
  ['we own nothing by an apply', observed(ours(all, { operation: 'Update' })), false],
  ['what we own of the status does not count', observed(ours(all, { subresource: 'status' })), false],
];

describe('whether an apply would take nothing away', () => {
  it.each(table)('%s', (_, object, expected) => {
    expect(ownsNothingBeside(object, desired)).toBe(expected);
    expect(ownsNothingBeside(createManagedFieldsCutter()(object), desired)).toBe(expected);
  });

  it('shares what objects with different owners have alike', () => {
    const cut = createManagedFieldsCutter();
    const other = { [owner.replace('0b1c', 'ffff')]: {} };
    const [a, b] = [
      observed(ours(all)),
      observed(ours(more('f:metadata', { ...all['f:metadata'], 'f:ownerReferences': other }))),
    ].map((object) => cut(object).metadata['managedFields']);
    expect(a).toBeDefined();
    expect(a).toBe(b);
  });
});
