import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { ResourceMappings } from '../runtime/resourcePath.ts';

/** A kind for tests of the runtime, which knows none of the operator's own. */
export const widget = { apiVersion: 'test.pgrst.dev/v1', kind: 'Widget' } as const;
/** Where it lives. */
export const widgetMappings: ResourceMappings = {
  'test.pgrst.dev/v1 Widget': { plural: 'widgets', namespaced: true },
};

const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.pgrst.dev' },
  spec: {
    group: 'test.pgrst.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' } } },
              status: {
                type: 'object',
                properties: {
                  weight: { type: 'integer' },
                  step: { type: 'integer' },
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type'],
                      properties: { type: { type: 'string' }, status: { type: 'string' } },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

/** Installs the CRD and waits until the server serves it. Test files of one run share it. */
export async function installWidgets(client: KubeClient): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  await client.apply(definition, { fieldManager: 'test' }, signal);
  const { apiVersion, kind, metadata } = definition;
  const selection = { apiVersion, kind, fieldSelector: `metadata.name=${metadata.name}` };
  const { items, resourceVersion } = await client.list(selection, signal);
  if (items.some(isServed)) return;
  for await (const { object } of client.watch({ ...selection, resourceVersion, timeoutSeconds: 30 }, signal))
    if (isServed(object)) return;
  throw new Error('the CRD of the test widgets was not established');
}

function isServed({ status }: KubeObject): boolean {
  const { conditions } = (status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true;
}
