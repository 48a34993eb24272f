import { gateConfigMap } from '../resources/gate.ts';
import { canaryIngress, mainIngress } from '../resources/ingress.ts';
import type { KubeObject } from '../runtime/object.ts';
import { instanceContent, instanceSpec, owner } from './resourceCases.ts';

/** A spec that says everything about the way in, and leads away from a service of somebody else. */
export const exposed = {
  expose: {
    host: 'shop.example.com',
    path: '/todo',
    tls: { secretName: 'shop-tls' },
    routes: [
      { path: '/api/v1/auth', service: { name: 'accounts', port: 8000 } },
      { path: '/api/v1/auth/login', to: '/rpc/login' },
      { path: '/docs', to: '/' },
    ],
    timeouts: { statement: '90s', request: '2m' },
    bodySize: '10Mi',
    rateLimit: { requestsPerSecond: 20 },
    cors: { allowOrigins: ['https://app.example.com'] },
    annotations: {
      'nginx.ingress.kubernetes.io/proxy-body-size': '1m',
      'nginx.ingress.kubernetes.io/proxy-buffering': 'on',
    },
  },
  rollout: { from: { service: { name: 'legacy', port: 8000 } } },
} as const;

/** What is built of that spec. */
export function exposedObjects(): Record<string, KubeObject> {
  const spec = instanceSpec(exposed);
  return {
    gateConfigMapExposed: gateConfigMap(owner, 5, instanceContent(exposed)),
    mainIngressExposed: mainIngress(owner, spec, 'stable'),
    mainIngressFrom: mainIngress(owner, spec, 'from'),
    canaryIngressPreview: canaryIngress(owner, spec, {
      revision: 5,
      weight: 0,
      cookie: 'pgrst-7c3ae1a4',
      preview: 'a-secret-word',
    }),
  };
}
