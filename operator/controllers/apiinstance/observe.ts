import { apiInstanceSpec, type ApiInstance, type ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { ApiSchema } from '../../api/v1alpha1/apiSchema.ts';
import { apiVersion } from '../../api/v1alpha1/shared.ts';
import { instanceLabel, names, revisionOf } from '../../resources/names.ts';
import {
  readControllerRevision,
  type OperandImages,
  type RevisionSnapshot,
} from '../../resources/revision.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { refOf, type KubeObject } from '../../runtime/object.ts';
import type { Key, WorkState } from '../../runtime/reconciler.ts';
import type { Callers } from '../../resources/networkPolicy.ts';
import { credentialsOf, restartedAt } from '../../resources/podTemplate.ts';
import { pokedWith, readWrittenSettings } from '../../resources/settingsFile.ts';
import type { Caches } from './caches.ts';
import { refText, secretsOf, type SecretMemory } from './credentials.ts';
import { poolerState, type MakeCredentials } from './observePooler.ts';
import { readRoute, type Routers } from './observeRoute.ts';
import { secretReader } from './readSecret.ts';
import type { Places } from './places.ts';
import { wornBy } from './workloads.ts';
import type {
  DeploymentState,
  PodState,
  SchemaState,
  SettingsByWorkload,
  WorkResult,
  World,
} from './world.ts';

/** What `observe` reads from. */
export interface ObserveDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly routers: Routers;
  readonly images: OperandImages;
  readonly callers: Callers;
  readonly places: Places;
  /** What this process remembers of the Secrets that pods run with. */
  readonly secrets: SecretMemory;
  readonly makeCredentials: MakeCredentials;
  /** How the long work of this key stands. */
  readonly work: ReadonlyMap<string, WorkState<WorkResult>>;
}

/**
 * All reads of one reconcile: the object itself, its Secrets and its ControllerRevisions live (numbers are given out by
 * what is there, so a stale list would make a second revision of the same content), everything else from the caches.
 */
export async function observe(key: Key, deps: ObserveDeps, signal: AbortSignal): Promise<World | undefined> {
  const [namespace = '', name = ''] = key.split('/');
  const primary = await deps.client.get({ apiVersion, kind: 'ApiInstance', namespace, name }, signal);
  if (!primary) return undefined;
  const instance = primary as unknown as ApiInstance;
  const parsed = apiInstanceSpec.safeParse(instance.spec);
  const spec = parsed.data;
  const { caches } = deps;
  const mine = (object: KubeObject | undefined): object is KubeObject =>
    isOwnedBy(object, instance.metadata.uid);
  const children = childrenOf(caches, namespace, name);
  const poolerName = names(name).pooler;
  const poolerSecretRef = { apiVersion: 'v1', kind: 'Secret', namespace, name: poolerName };
  const caRef = spec?.database.tls?.caSecretRef;
  const previewRef = spec?.expose.preview?.valueSecretRef;
  const readSecret = secretReader(deps.client, namespace, signal);
  const jwtRef = spec?.postgrest.jwtSecretRef;
  const [revisions, databaseUri, databaseCa, jwtSecret, preview, secret] = await Promise.all([
    listRevisions(deps.client, namespace, name, instance.metadata.uid, signal),
    readSecret(spec?.database.uriSecretRef),
    caRef && readSecret(caRef),
    jwtRef && readSecret(jwtRef),
    previewRef && readSecret(previewRef),
    spec?.pooler && deps.client.get(poolerSecretRef, signal),
  ]);
  const settings = settingsByWorkload(children.configMaps.filter(mine));
  const worn = (workload: number): number => wornBy(settings, workload);
  const deployments = deploymentStates(children.deployments.filter(mine), worn);
  const needs = [
    ...(jwtRef ? [jwtRef] : []),
    ...(spec ? [spec.database.uriSecretRef] : []),
    ...revisions.flatMap(({ content }) => secretsOf(content)),
  ];
  const secrets = await Promise.all(needs.map(async (ref) => [refText(ref), await readSecret(ref)] as const));
  const marks = [...deployments.values()].map(({ credentials }) => credentials.seen);
  const stableService = caches.services.get(`${namespace}/${names(name).stableService}`);
  const selected = mine(stableService) ? selectedWorkload(stableService) : undefined;
  const traffic = readRoute({
    instance,
    spec,
    caches,
    routers: deps.routers,
    selected: selected === undefined ? undefined : worn(selected),
    worn,
    kept: new Set(revisions.map(({ number }) => number)),
    mine,
  });
  const pooler = caches.deployments.get(`${namespace}/${poolerName}`);
  const needed = [
    ...objectsUnderOurNames(caches, namespace, name, spec?.pooler !== undefined),
    ...traffic.named,
  ];
  return {
    now: deps.clock.now(),
    metadata: instance.metadata,
    primary,
    spec,
    specErrors: parsed.error?.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ') ?? '',
    status: instance.status ?? {},
    schema: spec && schemaState(caches, namespace, spec),
    databaseUri,
    databaseCa,
    jwtSecret,
    credentials: deps.secrets.see(key, new Map(secrets), marks),
    preview,
    revisions,
    deployments,
    pods: children.pods.flatMap(podState).map((pod) => ({ ...pod, revision: worn(pod.workload) })),
    addresses: new Set(children.pods.flatMap((pod) => (pod as Pod).status?.podIP ?? [])),
    gateConfigs: new Set(
      children.configMaps
        .filter((object) => mine(object) && readWrittenSettings(object) === undefined)
        .flatMap(({ metadata }) => numberOf(metadata.labels)),
    ),
    settings,
    route: traffic.route,
    hasFrom: traffic.hasFrom,
    rival: traffic.rival,
    refusal: traffic.refusal,
    trafficObjects: traffic.named.filter(mine).map(refOf),
    router: traffic.router,
    policies: caches.policies.byIndex('instance', `${namespace}/${name}`).filter(mine).map(refOf),
    pooler: await poolerState({
      isPooled: spec?.pooler !== undefined,
      deployment: mine(pooler) ? pooler : undefined,
      pods: children.pods,
      secret: mine(secret) ? secret : undefined,
      make: deps.makeCredentials,
    }),
    foreign: [...needed, ...(secret ? [secret] : [])].filter((object) => !mine(object)).map(refOf),
    work: deps.work,
    images: deps.images,
    callers: deps.callers,
    places: spec ? deps.places.of(spec.expose.router) : '',
  };
}

function childrenOf(caches: Caches, namespace: string, name: string) {
  const key = `${namespace}/${name}`;
  return {
    deployments: caches.deployments.byIndex('instance', key),
    pods: caches.pods.byIndex('instance', key),
    configMaps: caches.configMaps.byIndex('instance', key),
  };
}

/** What there is under the names that this instance uses, whoever made it. */
function objectsUnderOurNames(
  caches: Caches,
  namespace: string,
  name: string,
  isPooled: boolean,
): KubeObject[] {
  const at = (objectName: string) => `${namespace}/${objectName}`;
  const { stableService, pooler, serviceAccount, budget } = names(name);
  const found = [
    caches.services.get(at(stableService)),
    caches.accounts.get(at(serviceAccount)),
    caches.budgets.get(at(budget)),
    ...(isPooled
      ? [caches.services.get(at(pooler)), caches.deployments.get(at(pooler)), caches.budgets.get(at(pooler))]
      : []),
  ];
  return found.filter((object) => object !== undefined);
}

async function listRevisions(
  client: KubeClient,
  namespace: string,
  instance: string,
  uid: string,
  signal: AbortSignal,
): Promise<RevisionSnapshot[]> {
  const labelSelector = `${instanceLabel}=${instance}`;
  const { items } = await client.list(
    { apiVersion: 'apps/v1', kind: 'ControllerRevision', namespace, labelSelector },
    signal,
  );
  return items
    .filter((object) => isOwnedBy(object, uid))
    .flatMap((object) => readControllerRevision(object) ?? [])
    .sort((a, b) => b.number - a.number);
}

function schemaState(caches: Caches, namespace: string, spec: ApiInstanceSpec): SchemaState | undefined {
  const schema = caches.schemas.get(`${namespace}/${spec.schemaRef.name}`) as unknown as
    ApiSchema | undefined;
  if (!schema) return undefined;
  const { status } = schema;
  return {
    exposedSchema: schema.spec.schema,
    strategy: schema.spec.strategy,
    newest: status?.release,
    releases: status?.releases ?? (status?.release ? [status.release] : []),
    ending: new Set((status?.releases ?? []).filter(({ ending }) => ending === true).map(({ id }) => id)),
    message: status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '',
  };
}

interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

function settingsByWorkload(configMaps: readonly KubeObject[]): SettingsByWorkload {
  return new Map(
    configMaps.flatMap((object) => {
      const written = readWrittenSettings(object);
      return written ? numberOf(object.metadata.labels).map((workload) => [workload, written] as const) : [];
    }),
  );
}

function deploymentStates(
  deployments: readonly KubeObject[],
  worn: (workload: number) => number,
): ReadonlyMap<number, DeploymentState> {
  return new Map(
    (deployments as readonly Workload[]).flatMap((deployment) =>
      numberOf(deployment.metadata.labels).map(
        (number) =>
          [
            worn(number),
            {
              replicas: deployment.spec?.replicas ?? 1,
              restartAt: restartedAt(deployment),
              credentials: credentialsOf(deployment),
            },
          ] as const,
      ),
    ),
  );
}

interface Pod extends KubeObject {
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
    readonly initContainerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** A pod of ours as its object has it, its revision by its label; none while it is being deleted. */
export function podState(object: KubeObject): PodState[] {
  const { metadata, status } = object as Pod;
  if (metadata.deletionTimestamp !== undefined) return [];
  const containers = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return numberOf(metadata.labels).map((workload) => ({
    name: metadata.name,
    uid: String(metadata.uid),
    revision: workload,
    workload,
    poked: pokedWith(object),
    ip: status?.podIP,
    isReady: status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    createdAt: Date.parse(String(metadata.creationTimestamp)),
  }));
}

function selectedWorkload(service: KubeObject): number | undefined {
  const spec = service['spec'] as { selector?: Record<string, string> } | undefined;
  return numberOf(spec?.selector)[0];
}

/** The revision that labels (or a selector) name: none or one. */
function numberOf(labels: Readonly<Record<string, string>> | undefined): number[] {
  const number = revisionOf(labels);
  return number === undefined ? [] : [number];
}

function isOwnedBy(object: KubeObject | undefined, uid: string): boolean {
  return (
    object?.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) ?? false
  );
}
