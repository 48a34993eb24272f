import { poolerSelector } from '../../resources/names.ts';
import { templateAnnotation } from '../../resources/pooler/deployment.ts';
import { readPoolerCredentials, type PoolerCredentials } from '../../resources/pooler/credentials.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { PoolerPod, PoolerState } from './world.ts';

/** Makes the credentials of a new pooler. */
export type MakeCredentials = () => Promise<PoolerCredentials>;

/** What there is of a pooler. */
export interface PoolerObjects {
  /** Makes credentials for a pooler that has none. */
  readonly make: MakeCredentials;
  /** Whether the spec asks for one. */
  readonly isPooled: boolean;
  /** Undefined when there is none of this instance. */
  readonly deployment: KubeObject | undefined;
  /** Pods of the instance; those of revisions among them are left out. */
  readonly pods: readonly KubeObject[];
  readonly secret: KubeObject | undefined;
}

interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: { readonly containers?: readonly Container[] };
    };
  };
  readonly status?: { readonly readyReplicas?: number };
}

interface Container {
  readonly name: string;
  readonly image?: string;
}

interface Pod extends KubeObject {
  readonly spec?: { readonly containers?: readonly Container[] };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** The pooler as its objects have it. What it has no credentials for yet, gets fresh ones. */
export async function poolerState(objects: PoolerObjects): Promise<PoolerState> {
  const { isPooled, secret, pods, make } = objects;
  const deployment = objects.deployment as Workload | undefined;
  const { template, replicas } = deployment?.spec ?? {};
  return {
    image: imageOf(template?.spec, 'pgbouncer'),
    exporterImage: imageOf(template?.spec, 'exporter'),
    replicas: deployment && (replicas ?? 1),
    template: template?.metadata?.annotations?.[templateAnnotation],
    ready: deployment?.status?.readyReplicas ?? 0,
    pods: pods.flatMap(poolerPod),
    secret,
    credentials: isPooled ? (readPoolerCredentials(secret) ?? (await make())) : undefined,
  };
}

function poolerPod(object: KubeObject): PoolerPod[] {
  const { metadata, spec, status } = object as Pod;
  const isPooler = metadata.labels?.[component] === poolerSelector('')[component];
  if (!isPooler || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  return [
    {
      name: metadata.name,
      uid: String(metadata.uid),
      ip: status?.podIP,
      isReady: status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
      isStopping: metadata.deletionTimestamp !== undefined,
      createdAt: Date.parse(String(metadata.creationTimestamp)),
      restarts: (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
      image: imageOf(spec, 'pgbouncer') ?? '',
      template: metadata.annotations?.[templateAnnotation],
    },
  ];
}

const component = 'app.kubernetes.io/component';

function imageOf(
  spec: { readonly containers?: readonly Container[] } | undefined,
  container: 'pgbouncer' | 'exporter',
): string | undefined {
  return spec?.containers?.find(({ name }) => name === container)?.image;
}
