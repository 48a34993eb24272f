import type { ApiSchema, ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { CollectRequest, CollectResult } from '../../database/collectReleases.ts';
import type { DropRequest, DropResult } from '../../database/dropReleases.ts';
import type { Patience } from '../../database/transaction.ts';
import type { Visit } from '../../database/withSession.ts';
import type { SummedApi } from '../../migration/checksum.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import type { ApplyResult } from './applyResult.ts';
import type { ApplyRequest } from './applyRequest.ts';
import type { ContractRequest, ContractResult, SurveyRequest, SurveyResult } from './contractOrder.ts';
import type { BeforeJob, JobResult } from './jobOrder.ts';
import type { LaneEntry } from './lane.ts';
import type { PlanResult } from './planOrder.ts';

/** Long work of this controller. Holds SQL and credentials: it is never logged. */
export type Work =
  | { readonly kind: 'job'; readonly job: KubeObject }
  | ((
      | { readonly kind: 'apply'; readonly request: ApplyRequest }
      | {
          readonly kind: 'plan';
          readonly request: ApplyRequest;
          /** Ids of releases that have traffic. */
          readonly inUse: readonly string[];
        }
      | { readonly kind: 'survey'; readonly request: SurveyRequest }
      | { readonly kind: 'contract'; readonly request: ContractRequest }
      | { readonly kind: 'collect'; readonly request: CollectRequest }
      | { readonly kind: 'drop'; readonly request: DropRequest }
    ) & { readonly patience: Patience });

/** What long work came to. */
export type WorkResult =
  ApplyResult | PlanResult | JobResult | SurveyResult | ContractResult | CollectResult | DropResult;

/** How a piece of this controller's work stands. */
export type SchemaWorkState = WorkState<WorkResult>;

/** Something that the spec refers to is not there. */
export interface Missing {
  readonly kind: 'missing';
  readonly reason: Extract<Reason, 'SecretNotFound' | 'ConfigMapNotFound'>;
  /** A sentence that says what to do. */
  readonly message: string;
}

/** Where the database is, and every other value of a Secret that the run needs. */
export type Connection =
  | {
      readonly kind: 'found';
      readonly uri: string;
      readonly tls?: Visit['tls'];
      /** By role. */
      readonly passwords: ReadonlyMap<string, string>;
      readonly secrets: readonly { readonly name: string; readonly value: string }[];
      /** Tells two of these apart, and says nothing about them outside of this process: keyed with a key that it made up. */
      readonly token: string;
    }
  | Missing;

/** All SQL of the spec in hand. */
export type Sources =
  | (SummedApi & {
      readonly kind: 'found';
      readonly migrations: readonly LaneEntry[];
      readonly contractions: readonly LaneEntry[];
      readonly tests?: string;
    })
  | Missing;

/** An ApiInstance that refers to the ApiSchema. */
export interface Follower {
  readonly name: string;
  /** Follows the newest release, instead of naming one. */
  readonly follows: boolean;
  /** Id of the release that its spec names. */
  readonly pins?: string;
  /** Id of the release that its stable revision serves. */
  readonly serves?: string;
  /** Id of the release of its candidate. */
  readonly rollsTo?: string;
  /** A rollout is under way. */
  readonly isRolling: boolean;
}

/** A kept revision of an ApiInstance. */
export interface Usage {
  readonly instance: string;
  readonly revision: number;
  /** Id of the release that it serves. */
  readonly release: string;
  /** Stable, candidate, or with a share of the traffic. */
  readonly hasTraffic: boolean;
}

/** Everything that one decision is made from. */
export interface World {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly object: ApiSchema;
  /** The spec, or what is wrong with it. */
  readonly spec:
    | { readonly kind: 'valid'; readonly value: ApiSchemaSpec }
    | { readonly kind: 'invalid'; readonly problem: string };
  readonly connection: Connection;
  readonly sources: Sources;
  /** By name, in order. */
  readonly followers: readonly Follower[];
  /** By instance, newest revision first. */
  readonly usage: readonly Usage[];
  /** Why an ApiSchema of `dependsOn` is waited for. */
  readonly unmetDependency: string | undefined;
  readonly jobs: readonly BeforeJob[];
  readonly work: ReadonlyMap<string, SchemaWorkState>;
  /** uid of the namespace kube-system. */
  readonly clusterId: string;
  /** This operator process. */
  readonly identity: string;
}
