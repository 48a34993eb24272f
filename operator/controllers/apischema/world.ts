import type { ApiSchema, ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { ApplyResult } from './applyResult.ts';
import type { ApplyRequest } from './applySchema.ts';
import type { DropRequest, DropResult } from '../../database/dropReleases.ts';
import type { Migration } from '../../migration/planMigrations.ts';
import type { WorkState } from '../../runtime/reconciler.ts';

/** Long work of this controller. Holds SQL and the database's URI: it is never logged. */
export type Work =
  | { readonly kind: 'apply'; readonly request: ApplyRequest }
  | { readonly kind: 'drop'; readonly request: DropRequest };

/** What long work came to. */
export type WorkResult = ApplyResult | DropResult;

/** Something that the spec refers to is not there. */
export interface Missing {
  readonly kind: 'missing';
  readonly reason: Extract<Reason, 'SecretNotFound' | 'ConfigMapNotFound'>;
  /** A sentence that says what to do. */
  readonly message: string;
}

/** Where the database is. */
export type Connection =
  | {
      readonly kind: 'found';
      readonly uri: string;
      /** Tells two URIs apart, and says nothing about them outside of this process: keyed with a key that it made up. */
      readonly token: string;
    }
  | Missing;

/** All SQL of the spec in hand. */
export type Sources =
  { readonly kind: 'found'; readonly migrations: readonly Migration[]; readonly apiSql: string } | Missing;

/** An ApiInstance that refers to the ApiSchema. */
export interface Follower {
  readonly name: string;
  /** Follows the newest release, instead of naming one. */
  readonly follows: boolean;
  /** Id of the release that its stable revision serves. */
  readonly serves?: string;
  /** A rollout is under way. */
  readonly isRolling: boolean;
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
  readonly work: ReadonlyMap<string, WorkState<WorkResult>>;
  /** uid of the namespace kube-system. */
  readonly clusterId: string;
  /** This operator process. */
  readonly identity: string;
}
