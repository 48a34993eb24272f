import { expect, it } from 'vitest';
import type { Change, Informer } from '../../runtime/informer.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { watchPlaces } from './places.ts';

/** An informer whose content a test sets. */
function slicesOf(...endpoints: { ip: string; ready?: boolean }[]) {
  let handler: (change: Change) => void = () => undefined;
  let items: KubeObject[] = [];
  const set = (...next: { ip: string; ready?: boolean }[]): void => {
    const metadata = { name: 'controller-abcde', namespace: 'ingress-nginx' };
    const object = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata,
      endpoints: next.map(({ ip, ready = true }) => ({ addresses: [ip], conditions: { ready } })),
    };
    items = [object];
    handler({ type: 'updated', object, initial: false });
  };
  set(...endpoints);
  const informer: Pick<Informer, 'list' | 'onChange'> = {
    list: () => items,
    onChange: (given) => {
      handler = given;
      return () => undefined;
    },
  };
  return { informer: informer as Informer, set };
}

it('a place that comes, goes or is not ready makes it another set, and whose it is is said', () => {
  const { informer, set } = slicesOf({ ip: '10.0.0.1' });
  const places = watchPlaces({ IngressNginx: informer, GatewayAPI: undefined });
  const changed: string[] = [];
  places.onChange((router) => changed.push(`${router} ${places.of(router)}`));
  set({ ip: '10.0.0.1' }, { ip: '10.0.0.2', ready: false });
  set({ ip: '10.0.0.1' }, { ip: '10.0.0.2' });
  set({ ip: '10.0.0.2' }, { ip: '10.0.0.1' });
  set({ ip: '10.0.0.2' });
  expect(changed).toEqual(['IngressNginx 10.0.0.1 10.0.0.2', 'IngressNginx 10.0.0.2']);
  expect(places.of('GatewayAPI')).toBe('');
});
