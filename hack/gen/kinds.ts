import { apiInstanceSpec } from '../../operator/api/v1alpha1/apiInstance.ts';
import { apiInstanceStatus } from '../../operator/api/v1alpha1/apiInstanceStatus.ts';
import { apiSchemaSpec } from '../../operator/api/v1alpha1/apiSchema.ts';
import { apiSchemaStatus } from '../../operator/api/v1alpha1/apiSchemaStatus.ts';
import { namedApiInstance, namedApiSchema } from '../../operator/api/v1alpha1/nameRule.ts';
import type { z } from 'zod';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
}

/** What makes a CustomResourceDefinition and its page in docs/reference. */
export interface Kind {
  readonly kind: 'ApiSchema' | 'ApiInstance';
  readonly singular: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** The object as far as the rules over its root reach. */
  readonly root: z.ZodType;
  readonly columns: readonly Column[];
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
}

const readyCondition = '.status.conditions[?(@.type=="Ready")]';
const ready: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: `${readyCondition}.status`,
  description: 'Status of the condition Ready.',
};
const reason: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: `${readyCondition}.reason`,
  description: 'Reason of the condition Ready.',
};
const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created.',
};

/** Both kinds of the API. */
export const kinds: readonly Kind[] = [
  {
    kind: 'ApiSchema',
    singular: 'apischema',
    plural: 'apischemas',
    shortName: 'aps',
    description:
      'What a PostgreSQL database must look like for an API: forward-only migrations, and the API SQL that every release is built from.',
    spec: apiSchemaSpec,
    status: apiSchemaStatus,
    root: namedApiSchema,
    columns: [
      ready,
      {
        name: 'Release',
        type: 'string',
        jsonPath: '.status.release.id',
        description: 'Id of the newest release.',
      },
      {
        name: 'Applied',
        type: 'integer',
        jsonPath: '.status.migrations.applied',
        description: 'Migrations of the spec that are in the ledger.',
      },
      {
        name: 'Pending',
        type: 'integer',
        jsonPath: '.status.migrations.pending',
        description: 'Migrations of the spec that are not.',
      },
      reason,
      age,
    ],
  },
  {
    kind: 'ApiInstance',
    singular: 'apiinstance',
    plural: 'apiinstances',
    shortName: 'api',
    description:
      'How an ApiSchema is served: PostgREST pods, PgBouncer, the way in, and how a change reaches the clients.',
    spec: apiInstanceSpec,
    status: apiInstanceStatus,
    root: namedApiInstance,
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
    columns: [
      ready,
      {
        name: 'Stable',
        type: 'integer',
        jsonPath: '.status.stable.revision',
        description: 'The revision that has the traffic when no rollout runs.',
      },
      {
        name: 'Candidate',
        type: 'integer',
        jsonPath: '.status.candidate.revision',
        description: 'The revision that is being rolled out, or rolled back to.',
      },
      {
        name: 'Weight',
        type: 'integer',
        jsonPath: '.status.traffic.weight',
        description: 'Percent of the traffic that was asked for it.',
      },
      reason,
      age,
    ],
  },
];
