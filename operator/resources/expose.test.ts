import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { exposed, exposedObjects } from '../testing/exposeCases.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { isPreviewValue, mainIngress, canaryIngress } from './ingress.ts';

test.each(Object.entries(exposedObjects()))('%s is built as its golden file has it', async (name, object) => {
  await expect(stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
    `__golden__/${name}.yaml`,
  );
});

const annotations = (expose: object) =>
  mainIngress(owner, instanceSpec({ expose: { host: 'todo.example.com', ...expose } })).metadata.annotations;
const named = (name: string) => `nginx.ingress.kubernetes.io/${name}`;

test.each([
  ['55s', undefined],
  ['55000ms', undefined],
  ['2m', '125'],
  ['2500ms', '8'],
])('a gate that waits %s has an ingress that waits %s s', (request, expected) => {
  expect(annotations({ timeouts: { request } })?.[named('proxy-read-timeout')]).toBe(expected);
  expect(annotations({ timeouts: { request } })?.[named('proxy-send-timeout')]).toBe(expected);
});

test.each([
  ['1000', '1000'],
  ['64Ki', '64k'],
  ['10Mi', '10m'],
  ['1Gi', '1g'],
])('a body of %s is %s for ingress-nginx', (bodySize, expected) => {
  expect(annotations({ bodySize })?.[named('proxy-body-size')]).toBe(expected);
});

test("a user's annotation counts where no field of the spec says the same", () => {
  const own = { [named('proxy-body-size')]: '3m', [named('proxy-read-timeout')]: '300' };
  expect(annotations({ annotations: own })).toEqual({ ...annotations({}), ...own });
  expect(annotations({ annotations: own, bodySize: '10Mi' })).toEqual({
    ...annotations({}),
    ...own,
    [named('proxy-body-size')]: '10m',
  });
});

test("a user's annotation counts over what requests do that meet a pod which is gone", () => {
  const own = { [named('proxy-next-upstream-tries')]: '1' };
  expect(annotations({ annotations: own })).toMatchObject(own);
});

test('a main route away from nobody is a mistake of ours', () => {
  expect(() => mainIngress(owner, instanceSpec(), 'from')).toThrow('rollout.from');
});

test.each(['', 'two words', 'a+b=', 'naïve', 'x'.repeat(4097)])(
  'ingress-nginx would drop the preview value "%s", and let everybody in who says always: there is no preview',
  (preview) => {
    expect(isPreviewValue(preview)).toBe(false);
    const share = { revision: 5, weight: 0, cookie: 'c', preview };
    expect(
      Object.keys(canaryIngress(owner, instanceSpec(exposed), share).metadata.annotations ?? {}),
    ).toEqual([named('canary'), named('canary-weight'), named('canary-by-cookie')]);
  },
);
