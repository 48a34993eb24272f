import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import type { Release } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { ObjectMeta } from '../../api/v1alpha1/shared.ts';
import type { ConnectionLimits } from '../../database/connectionLimits.ts';
import type { SettledProcess, SettleOrder } from '../../console/settleProcess.ts';
import type { AnalysisFailure, AnalysisOrder } from '../../proof/analysis.ts';
import type { ContractOrder, ContractResult } from '../../proof/contract.ts';
import type { PodProbesOrder, PodProbesResult } from '../../proof/podProbes.ts';
import type { PodProof, PodProofOrder } from '../../proof/podProof.ts';
import type { ReloadOrder, ReloadResult } from '../../proof/reloadPod.ts';
import type { TrafficProof } from '../../proof/trafficProof.ts';
import type { Callers } from '../../resources/networkPolicy.ts';
import type { CredentialMarks } from '../../resources/podTemplate.ts';
import type { PoolerCredentials } from '../../resources/pooler/credentials.ts';
import type { OperandImages, RevisionSnapshot } from '../../resources/revision.ts';
import type { WrittenSettings } from '../../resources/settingsFile.ts';
import type { Expectation, Route } from '../../rollout/types.ts';
import type { KubeObject, ObjectRef } from '../../runtime/object.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import type { ProbeRequest, TrafficRouter } from '../../traffic/router.ts';

/** Where a value is in a Secret. */
type SecretKeyRef = ApiInstanceSpec['database']['uriSecretRef'];

/** By workload: whose settings its pods are to have. */
export type SettingsByWorkload = ReadonlyMap<number, WrittenSettings>;

/** A pod of a kept revision, not being deleted. */
export interface PodState {
  readonly name: string;
  readonly uid: string;
  /** The revision whose settings its workload has. */
  readonly revision: number;
  /** What its label says: see workloads.ts. */
  readonly workload: number;
  readonly ip: string | undefined;
  readonly isReady: boolean;
  /** Restarts of all its containers: a restarted PostgREST has to be proved anew. */
  readonly restarts: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The settings that it was told to look for in its volume; undefined: none. */
  readonly poked: string | undefined;
}

/** What the referenced ApiSchema offers. */
export interface SchemaState {
  /** `spec.schema`: the name that clients may use as a profile. */
  readonly exposedSchema: string;
  /** `spec.strategy`: whether each release has a schema of its own. */
  readonly strategy: 'Versioned' | 'InPlace';
  readonly newest: Release | undefined;
  readonly releases: readonly Release[];
  /** Ids of releases that a contraction is about to end: nothing may begin to use them. */
  readonly ending: ReadonlySet<string>;
  /** Its Ready condition's message, for passing on. */
  readonly message: string;
}

/** A revision's Deployment. */
export interface DeploymentState {
  /** `spec.replicas`. */
  readonly replicas: number;
  /** When its pods were last asked to restart (RFC 3339). */
  readonly restartAt: string | undefined;
  /** Which Secrets it says that its pods run with. */
  readonly credentials: CredentialMarks;
}

/** A pod of the pooler that has not ended; one that is stopping still has its connections. */
export interface PoolerPod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string | undefined;
  readonly isReady: boolean;
  readonly isStopping: boolean;
  readonly restarts: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The image of its PgBouncer. */
  readonly image: string;
  /** What its template is known by; undefined for one that an older operator has made: it has no console. */
  readonly template: string | undefined;
}

/** The pooler as it is. */
export interface PoolerState {
  /** The image that its Deployment has; an operator with another default keeps it. */
  readonly image: string | undefined;
  /** The same of the exporter beside it; undefined when it has none. */
  readonly exporterImage: string | undefined;
  /** `spec.replicas` of its Deployment; undefined: there is none. */
  readonly replicas: number | undefined;
  /** What the template of its Deployment is known by. */
  readonly template: string | undefined;
  /** Its ready pods. */
  readonly ready: number;
  readonly pods: readonly PoolerPod[];
  /** Its Secret as it is stored: no cache holds Secrets. */
  readonly secret: KubeObject | undefined;
  /** Those of its Secret, or fresh ones where it has none yet; undefined without `spec.pooler`. */
  readonly credentials: PoolerCredentials | undefined;
}

/** A Secret's key as it was read just now. The value goes into the pooler's Secret or the router's object, and nowhere else. */
export type SecretValue =
  | {
      readonly state: 'found';
      readonly value: string;
      /** `metadata.resourceVersion` of the Secret. */
      readonly version: string;
    }
  | { readonly state: 'missing'; readonly what: string };

/** What is known of the Secrets that pods take their credentials from. No value is in it, and no hash of one. */
export interface Credentials {
  /** `metadata.resourceVersion` of the Secret, by `<name>/<key>`; without those that cannot be read now. */
  readonly versions: ReadonlyMap<string, string>;
  /** Earlier versions, as `<name>/<key>=<version>`, that this process has seen to hold the value that is there now. */
  readonly same: ReadonlySet<string>;
}

/** A database that is asked for its limits. */
export interface LimitsOrder {
  readonly uri: string;
  /** Whether a rollout waits for the answer. */
  readonly isWaitedFor: boolean;
}

/** What became of asking the database: its limits, or why it could not be asked. */
export type LimitsAnswer = { readonly limits: ConnectionLimits } | { readonly unknown: string };

/** What a piece of long work came to. */
export type WorkResult =
  | LimitsAnswer
  | SettledProcess
  | PodProof
  | ReloadResult
  | PodProbesResult
  | ContractResult
  | AnalysisFailure
  | TrafficProof;

/** Which process is to be brought to what; the console's password is read when it is needed. */
export interface PoolerWork extends SettleOrder {
  readonly namespace: string;
  readonly pod: string;
  readonly ip: string;
  /** The Secret that holds the credentials of the console. */
  readonly secret: string;
  /** Whether the pod is stopping: then it may refuse to be asked. */
  readonly isStopping: boolean;
}

/** Everything that a decision about one ApiInstance looks at. */
export interface World {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly metadata: ObjectMeta;
  /** The object as the API server returned it, for the engine that writes. */
  readonly primary: KubeObject;
  /** Undefined when it does not pass the schema; `specErrors` says why. */
  readonly spec: ApiInstanceSpec | undefined;
  readonly specErrors: string;
  readonly status: ApiInstanceStatus;
  readonly schema: SchemaState | undefined;
  readonly databaseUri: SecretValue;
  /** The certificates of the database's authority (PEM); undefined when the spec names none. */
  readonly databaseCa: SecretValue | undefined;
  /** Undefined when the spec names none. */
  readonly jwtSecret: SecretValue | undefined;
  /** The Secrets that the pods of the kept revisions, and of the next one, take their credentials from. */
  readonly credentials: Credentials;
  /** The value of the preview header; undefined when the spec names none. */
  readonly preview: SecretValue | undefined;
  readonly revisions: readonly RevisionSnapshot[];
  /** By revision. */
  readonly deployments: ReadonlyMap<number, DeploymentState>;
  readonly pods: readonly PodState[];
  /** Addresses of all pods of the instance, the pooler's and those that are stopping among them. */
  readonly addresses: ReadonlySet<string>;
  /** Workloads whose gate ConfigMap exists; it is immutable and never written again. */
  readonly gateConfigs: ReadonlySet<number>;
  /** By workload: the settings that its pods are to have. */
  readonly settings: SettingsByWorkload;
  /** Who has the traffic, as the stable Service and the router's objects say. */
  readonly route: Route;
  /** Whether the first promotion still is to lead away from the service of `rollout.from`. */
  readonly hasFrom: boolean;
  /** Another object that claims the same host and path, such as `Ingress old-api`. */
  readonly rival: string | undefined;
  /** Why the router does not accept its object, in its own words. */
  readonly refusal: string | undefined;
  /** The traffic objects that exist, which are to be deleted before their instance is. */
  readonly trafficObjects: readonly ObjectRef[];
  /** Its network policies that exist. */
  readonly policies: readonly ObjectRef[];
  readonly pooler: PoolerState;
  /** Objects that have a name we need but belong to somebody else. */
  readonly foreign: readonly ObjectRef[];
  readonly work: ReadonlyMap<string, WorkState<WorkResult>>;
  readonly images: OperandImages;
  /** The router that the spec asks for; undefined where the operator was not told of it. */
  readonly router: Pick<TrafficRouter, 'objects' | 'probe'> | undefined;
  /** Tells one set of places of the router from another, such as before and after a restart of one of them. */
  readonly places: string;
  /** Who has to reach the pods, for network policies. */
  readonly callers: Callers;
}

/** Long work of this controller. */
export type Work =
  | {
      readonly kind: 'pod';
      readonly ip: string;
      readonly createdAt: number;
      readonly publishedAt: number | undefined;
      readonly release?: string;
      readonly settings?: NonNullable<PodProofOrder['settings']>;
    }
  /** A pod that is told to reload. The runner reads the Secret: no order holds a credential. */
  | ({
      readonly kind: 'reload';
      readonly pod: string;
      readonly channel: string;
      readonly namespace: string;
      readonly uriSecretRef: SecretKeyRef;
    } & Omit<ReloadOrder, 'port'>)
  | {
      readonly kind: 'traffic';
      readonly spec: ApiInstanceSpec;
      readonly expectation: Expectation;
      readonly previousWeight: number;
      readonly isStanding: boolean;
      readonly request: ProbeRequest;
    }
  /** The probes of the spec, at one pod. */
  | ({ readonly kind: 'probes' } & PodProbesOrder)
  /** The candidate is judged for as long as it has a share. */
  | ({ readonly kind: 'analysis' } & AnalysisOrder)
  | ({ readonly kind: 'contract' } & ContractOrder)
  /** How many connections the database gives, and who has them. */
  | ({ readonly kind: 'connections' } & LimitsOrder)
  /** One PgBouncer process is brought to its share and its configuration. */
  | ({ readonly kind: 'pooler' } & PoolerWork)
  /** No gate answers any more: the routes of a deleted instance are gone from the data plane. */
  | { readonly kind: 'gone'; readonly spec: ApiInstanceSpec; readonly request: ProbeRequest };
