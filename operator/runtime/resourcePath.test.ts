import { describe, expect, test } from 'vitest';
import { builtInResources, resourcePath } from './resourcePath.ts';

const paths: Record<string, Parameters<typeof resourcePath>[1]> = {
  '/api/v1/namespaces/shop/pods/a': { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'a' },
  '/api/v1/namespaces/shop/pods': { apiVersion: 'v1', kind: 'Pod', namespace: 'shop' },
  '/api/v1/pods': { apiVersion: 'v1', kind: 'Pod' },
  '/api/v1/namespaces/shop': { apiVersion: 'v1', kind: 'Namespace', name: 'shop' },
  '/apis/networking.k8s.io/v1/ingressclasses/nginx': {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    namespace: 'ignored',
    name: 'nginx',
  },
  '/apis/apps/v1/namespaces/shop/deployments/a/scale': {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'a',
    subresource: 'scale',
  },
  '/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx': {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'shop',
    name: '../secrets/x',
  },
};

describe('resourcePath', () => {
  test.each(Object.entries(paths))('%s', (path, at) => {
    expect(resourcePath(builtInResources, at)).toBe(path);
  });

  test('a kind that nobody mapped, and an object without its namespace, are bugs that say so', () => {
    expect(() => resourcePath(builtInResources, { apiVersion: 'v2', kind: 'Pod' })).toThrow(
      'no resource mapping for v2 Pod',
    );
    expect(() => resourcePath(builtInResources, { apiVersion: 'v1', kind: 'Pod', name: 'a' })).toThrow(
      'Pod a has no namespace',
    );
  });
});
