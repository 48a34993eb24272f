import type { PodTemplateAdditions } from '../api/v1alpha1/apiInstance.ts';
import { durationMs, group } from '../api/v1alpha1/shared.ts';
import type { KubeObject } from '../runtime/object.ts';
import { gateCommand } from './gate.ts';
import { names, ownedMetadata, revisionLabels, revisionSelector, type Owner } from './names.ts';
import { clientLifetimeSeconds } from './pooler/deployment.ts';
import { adminPort, poolerPort, postgrestAdminPort, postgrestPort, publicPort } from './ports.ts';
import type { PodTemplate, RevisionContent } from './revision.ts';
import { restrictedContainer, restrictedPod } from './security.ts';
import { canListen, channelSetting, dividedConfig, settingsFolder, settingsPath } from './settingsFile.ts';
import { gracePeriodSeconds, poolWaitConfig, preStopSeconds } from './timeouts.ts';

/**
 * A peer that is gone without a word is noticed within a minute; libpq would wait for hours
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
 */
const connection = 'connect_timeout=5&keepalives_idle=30&keepalives_interval=10&keepalives_count=3';
/** Annotation of the pods that were replaced by the action restart: when that was asked for. */
const restartAnnotation = `${group}/restarted-at`;
/**
 * Annotation of a Deployment, and of its pods once they were replaced for it: which versions of its Secrets
 * (`<name>/<key>=<resourceVersion>`, separated by blanks) it was last seen with. A version tells nothing of a value.
 */
const credentialsAnnotation = `${group}/credentials`;

/** What a Deployment says about the Secrets of its pods. */
export interface CredentialMarks {
  /** The versions that its pods have started with, or hold the values of. Absent: it says nothing. */
  readonly seen?: string;
  /** The versions that its pods were last replaced for. Absent: they never were. */
  readonly rolled?: string;
}

/**
 * The pods of a revision: the gate, and PostgREST behind it on loopback. PostgREST is a native sidecar, so that on
 * shutdown the gate drains first and PostgREST, which before v16 cuts what is in flight, stops last. It has no probe of
 * its own: readiness is the gate's.
 */
export function podTemplate(instance: string, number: number, content: RevisionContent): PodTemplate {
  const name = names(instance).revision(number);
  const { labels, annotations, topologySpreadConstraints, ...more } = content.podTemplate ?? {};
  const matchLabels = revisionSelector(instance, number);
  return {
    metadata: {
      labels: { ...labels, ...revisionLabels(instance, number) },
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      serviceAccountName: names(instance).serviceAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: gracePeriodSeconds(content.timeouts),
      securityContext: restrictedPod,
      topologySpreadConstraints: (topologySpreadConstraints ?? [overNodes]).map((constraint) => ({
        ...constraint,
        labelSelector: constraint['labelSelector'] ?? { matchLabels },
      })),
      ...more,
      initContainers: [postgrestContainer(instance, number, content)],
      containers: [gateContainer(content)],
      volumes: [
        { name: 'gate', configMap: { name } },
        ...(canListen(content)
          ? [{ name: 'settings', configMap: { name: names(instance).settings(number) } }]
          : []),
        // Not in memory: bodies that are being uploaded would count against the gate's limit.
        { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
      ],
    },
  };
}

/** How the pods of a revision spread where the spec does not say. */
const overNodes: NonNullable<PodTemplateAdditions['topologySpreadConstraints']>[number] = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
};

/**
 * The Deployment of a revision at a size. Its template is the revision's, which never changes: it rolls only when
 * somebody asks for a restart, or when a credential has changed, and then with the same content. `restartAt`: when that
 * was (RFC 3339).
 */
export function deployment(
  owner: Owner,
  number: number,
  template: PodTemplate,
  replicas: number,
  restartAt?: string,
  { seen, rolled }: CredentialMarks = {},
): KubeObject {
  const metadata = ownedMetadata(
    owner,
    names(owner.name).revision(number),
    revisionLabels(owner.name, number),
  );
  const annotations = {
    ...(restartAt === undefined ? {} : { [restartAnnotation]: restartAt }),
    ...(rolled === undefined ? {} : { [credentialsAnnotation]: rolled }),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: seen === undefined ? metadata : { ...metadata, annotations: { [credentialsAnnotation]: seen } },
    spec: {
      replicas,
      revisionHistoryLimit: 0,
      selector: { matchLabels: revisionSelector(owner.name, number) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: annotated(template, annotations),
    },
  };
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
}

/** When the pods of a Deployment were last asked to restart (RFC 3339); undefined when they never were. */
export function restartedAt(object: KubeObject): string | undefined {
  const spec = object['spec'] as { readonly template?: Annotated } | undefined;
  return spec?.template?.metadata?.annotations?.[restartAnnotation];
}

/** What a Deployment says about its credentials. */
export function credentialsOf(object: KubeObject): CredentialMarks {
  const spec = object['spec'] as { readonly template?: Annotated } | undefined;
  const seen = object.metadata.annotations?.[credentialsAnnotation];
  const rolled = spec?.template?.metadata?.annotations?.[credentialsAnnotation];
  return { ...(seen === undefined ? {} : { seen }), ...(rolled === undefined ? {} : { rolled }) };
}

/** The template with more annotations on its pods; untouched when there are none: it must not roll. */
function annotated(template: PodTemplate, more: Readonly<Record<string, string>>): PodTemplate {
  if (Object.keys(more).length === 0) return template;
  const { metadata } = template as Annotated;
  return { ...template, metadata: { ...metadata, annotations: { ...metadata?.annotations, ...more } } };
}

function gateContainer(content: RevisionContent): object {
  return {
    name: 'gate',
    image: content.gate.image.name,
    imagePullPolicy: 'IfNotPresent',
    command: gateCommand(content),
    ports: [
      { name: 'http', containerPort: publicPort, protocol: 'TCP' },
      { name: 'gate-admin', containerPort: adminPort, protocol: 'TCP' },
    ],
    startupProbe: {
      httpGet: { path: '/ready', port: 'gate-admin' },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 600,
    },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'gate-admin' },
      periodSeconds: 2,
      timeoutSeconds: 5,
      failureThreshold: 2,
    },
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '128Mi' } },
    securityContext: { ...restrictedContainer, runAsUser: 101, runAsGroup: 101 },
    volumeMounts: [
      { name: 'gate', mountPath: '/etc/gate', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function postgrestContainer(instance: string, number: number, content: RevisionContent): object {
  const { image, resources } = content.postgrest;
  return {
    name: 'postgrest',
    image: image.name,
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    // PostgREST reads its file anew when it is told to; its environment, which beats the file, it never does.
    ...(canListen(content) ? { command: ['postgrest', settingsPath] } : {}),
    env: postgrestEnv(instance, number, content),
    resources: resources ?? { requests: { cpu: '50m', memory: '64Mi' } },
    securityContext: { ...restrictedContainer, runAsUser: 1000, runAsGroup: 1000 },
    ...(canListen(content)
      ? { volumeMounts: [{ name: 'settings', mountPath: settingsFolder, readOnly: true }] }
      : {}),
  };
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?:
    | { readonly secretKeyRef: { readonly name: string; readonly key: string } }
    | { readonly fieldRef: { readonly fieldPath: string } };
}

function postgrestEnv(instance: string, number: number, content: RevisionContent): EnvVar[] {
  const { jwtSecretRef } = content.postgrest;
  const listens = canListen(content);
  const parameters: Record<string, string> = {
    ...poolWaitConfig(content.timeouts),
    ...(content.database.pooled ? pooledConfig : {}),
    ...dividedConfig(content).env,
    ...(content.cors ? { 'server-cors-allowed-origins': content.cors.allowOrigins.join(',') } : {}),
    // Behind transaction pooling LISTEN is never notified, and /ready does not tell.
    'db-channel-enabled': String(listens),
    'server-host': '127.0.0.1',
    'server-port': String(postgrestPort),
    'admin-server-port': String(postgrestAdminPort),
    ...(listens ? {} : { 'db-schemas': content.release.schema, 'app-settings-revision': String(number) }),
  };
  return [
    ...(listens ? listenerEnv(content) : []),
    ...databaseEnv(instance, number, content),
    ...(jwtSecretRef ? [{ name: 'PGRST_JWT_SECRET', valueFrom: { secretKeyRef: { ...jwtSecretRef } } }] : []),
    ...Object.entries(parameters)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name: variableOf(name), value: escaped(value) })),
  ];
}

/** Who a pod is: for the channel on which it is told to reload, and for whoever looks into pg_stat_activity. */
function listenerEnv(content: RevisionContent): EnvVar[] {
  const channel = channelSetting(content);
  return [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'PGAPPNAME', value: '$(POD_NAME)' },
    ...(channel === undefined || content.postgrest.config['db-channel'] !== undefined
      ? []
      : [{ name: 'PGRST_DB_CHANNEL', value: channel }]),
  ];
}

/** How PostgREST gets along with PgBouncer; the spec may say otherwise. */
const pooledConfig = {
  // Its connections are a pool's guests: they leave before the pooler's grace period is over, so that it can drain.
  'db-pool-max-lifetime': String(clientLifetimeSeconds),
  // PgBouncer closes a connection that names a statement anew after PostgreSQL has refused it, as PostgREST does: an
  // unknown column would be answered 503, and its pod's whole schema cache read again (docs/decisions/0048).
  'db-prepared-statements': 'false',
};

/** The kubelet replaces $(NAME) in values of variables, and takes $$ for $. */
function escaped(value: string): string {
  return value.replaceAll('$', '$$$$');
}

/** PostgREST's environment variable for a parameter, as its documentation has it. */
function variableOf(parameter: string): string {
  return `PGRST_${parameter.replaceAll('-', '_').toUpperCase()}`;
}

/**
 * The connection. Behind the pooler each revision asks for a database of its own name: an alias to PgBouncer, which
 * gives it a pool of its own. The kubelet puts the credentials in from the Secret; the template holds none.
 */
function databaseEnv(instance: string, number: number, { database, timeouts }: RevisionContent): EnvVar[] {
  if (!database.pooled) {
    const uri = { name: 'PGRST_DB_URI', valueFrom: { secretKeyRef: { ...database.uriSecretRef } } };
    if (timeouts?.statement === undefined) return [uri];
    // libpq reads it where the URI has no options of its own.
    return [uri, { name: 'PGOPTIONS', value: `-c statement_timeout=${durationMs(timeouts.statement)}` }];
  }
  const { pooler } = names(instance);
  return [
    { name: 'POOLER_USERINFO', valueFrom: { secretKeyRef: { name: pooler, key: 'userinfo' } } },
    {
      name: 'PGRST_DB_URI',
      value: `postgres://$(POOLER_USERINFO)@${pooler}:${poolerPort}/r${number}?${connection}`,
    },
  ];
}
