import { group, version } from '../../operator/api/v1alpha1/shared.ts';
import type { Kind } from './kinds.ts';
import type { KindSchemas } from './schemas.ts';

/** The CustomResourceDefinition of a kind, as plain data in the order in which it is written. */
export function crdOf(kind: Kind, schemas: KindSchemas): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        singular: kind.singular,
        plural: kind.plural,
        shortNames: [kind.shortName],
        categories: ['apis'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              description: kind.description,
              type: 'object',
              required: ['spec'],
              'x-kubernetes-validations': schemas.validations,
              properties: {
                apiVersion: {
                  description: 'Version of the schema of this object.',
                  type: 'string',
                },
                kind: { description: 'What this object is.', type: 'string' },
                metadata: { type: 'object' },
                spec: schemas.spec,
                status: schemas.status,
              },
            },
          },
          subresources: { status: {}, ...(kind.scale ? { scale: kind.scale } : {}) },
          additionalPrinterColumns: kind.columns,
        },
      ],
    },
  };
}
