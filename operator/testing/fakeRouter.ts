import { probeHeader } from '../resources/gate.ts';
import { names, ownedMetadata } from '../resources/names.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { Address, TrafficIntent, TrafficRouter } from '../traffic/router.ts';

const apiVersion = 'testing.pgrst.dev/v1';
const kind = 'Route';

interface Route extends KubeObject {
  readonly spec: TrafficIntent & { readonly host: string; readonly path: string };
}

/** A router in memory: one object says everything, and its data plane listens where it is told to. */
export function createFakeRouter(places: readonly Address[] = []): TrafficRouter {
  return {
    objects: (owner, { expose: { host, path } }, intent) => [
      {
        apiVersion,
        kind,
        metadata: ownedMetadata(owner, names(owner.name).ingress, {}),
        spec: { host, path, ...intent },
      },
    ],
    objectRefs: ({ name, namespace }) => [{ apiVersion, kind, namespace, name: names(name).ingress }],
    read: (instance, _, objects) => {
      const route = routes(objects).find(({ metadata }) => metadata.name === names(instance).ingress);
      return { main: route?.spec.main, canary: route?.spec.canary };
    },
    refusal: () => undefined,
    rival: (owner, { expose }, others) =>
      routes(others).find(
        ({ metadata, spec }) =>
          metadata.ownerReferences?.[0]?.uid !== owner.uid &&
          spec.host === expose.host &&
          spec.path === expose.path,
      ),
    probe: ({ uid }, { expose: { host, path } }, expectation) => ({
      host,
      path,
      headers: {
        [probeHeader]: '1',
        ...(expectation === 'weights' ? {} : { 'X-Fake-Steer': `${expectation} ${uid}` }),
      },
    }),
    dataPlane: () => Promise.resolve(places),
  };
}

function routes(objects: readonly KubeObject[]): readonly Route[] {
  return objects.filter((object): object is Route => object.kind === kind);
}
