import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { DatabaseUri } from '../api/v1alpha1/databaseUri.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import { labels, names, ownedMetadata, poolerSelector, type Owner } from './names.ts';
import { poolerPort } from './ports.ts';
import type { OperandImages } from './revision.ts';
import { restrictedContainer, restrictedPod } from './security.ts';
import { poolWaitSeconds, requestSeconds, type Timeouts } from './timeouts.ts';

/** Where PgBouncer leads. */
type Target = Omit<DatabaseUri, 'parameters'>;

/** `spec.pooler`. */
export type PoolerSpec = NonNullable<ApiInstanceSpec['pooler']>;

/**
 * How old a client's connection may get, in seconds. PostgREST looks when it takes one out of its pool, so that after
 * this time none is used any more that leads to a PgBouncer which is to stop.
 */
export const clientLifetimeSeconds = 45;
const preStopSeconds = 5;

/**
 * The one Secret that the operator writes: PgBouncer's configuration and users, and for PostgREST the credentials in the
 * form that a URI takes. Everything in it comes from the user's own Secret and from the spec. `timeouts` are those of the
 * spec as it is: the pooler is one for all revisions.
 */
export function poolerSecret(owner: Owner, uri: Target, spec: PoolerSpec, timeouts?: Timeouts): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: ownedMetadata(owner, names(owner.name).pooler, labels(owner.name, 'pooler')),
    type: 'Opaque',
    data: {
      'pgbouncer.ini': base64(configuration(uri, spec, timeouts)),
      'userlist.txt': base64(`${quoted(uri.user)} ${quoted(uri.password)}\n`),
      userinfo: base64(`${encodeURIComponent(uri.user)}:${encodeURIComponent(uri.password)}`),
    },
  };
}

/** Why PgBouncer cannot use a URI, as the end of a sentence; undefined when it can. */
export function poolerCannotUse({ host, password }: Target): string | undefined {
  if (host.startsWith('/')) return 'it names a socket of another machine: name a host.';
  return password === '' ? 'it holds no password.' : undefined;
}

/** `configVersion`: the resourceVersion of that Secret. It tells of a change without telling anything of its content. */
export function poolerDeployment(
  owner: Owner,
  spec: PoolerSpec,
  images: OperandImages,
  configVersion: string,
  timeouts?: Timeouts,
): KubeObject {
  const { pooler, serviceAccount } = names(owner.name);
  const objectLabels = labels(owner.name, 'pooler');
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: ownedMetadata(owner, pooler, objectLabels),
    spec: {
      replicas: spec.replicas,
      revisionHistoryLimit: 1,
      selector: { matchLabels: poolerSelector(owner.name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: objectLabels, annotations: { 'pgrst.dev/config-version': configVersion } },
        spec: {
          serviceAccountName: serviceAccount,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          // The last part is for the requests that begin at the end of the time before.
          terminationGracePeriodSeconds: preStopSeconds + clientLifetimeSeconds + requestSeconds(timeouts),
          securityContext: restrictedPod,
          containers: [poolerContainer(spec.image ?? images.pgbouncer)],
          volumes: [{ name: 'config', secret: { secretName: pooler, defaultMode: 0o444 } }],
        },
      },
    },
  };
}

/** Where PostgREST finds PgBouncer. */
export function poolerService(owner: Owner): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(owner, names(owner.name).pooler, labels(owner.name, 'pooler')),
    spec: {
      selector: poolerSelector(owner.name),
      ports: [{ name: 'postgres', port: poolerPort, targetPort: poolerPort, protocol: 'TCP' }],
    },
  };
}

function poolerContainer(image: string): object {
  return {
    name: 'pgbouncer',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['pgbouncer', '/etc/pgbouncer/pgbouncer.ini'],
    ports: [{ name: 'postgres', containerPort: poolerPort, protocol: 'TCP' }],
    readinessProbe: { tcpSocket: { port: 'postgres' }, periodSeconds: 2 },
    livenessProbe: { tcpSocket: { port: 'postgres' }, periodSeconds: 10, failureThreshold: 6 },
    // New connections go elsewhere first; then PgBouncer waits for its clients to leave, within the grace period.
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    resources: { requests: { cpu: '20m', memory: '16Mi' }, limits: { memory: '256Mi' } },
    securityContext: { ...restrictedContainer, runAsUser: 65534, runAsGroup: 65534 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/pgbouncer', readOnly: true }],
  };
}

/**
 * PgBouncer 1.24 or newer. Every alias that a client names becomes a pool of its own on the same database, so each
 * revision has its share; the cap counts per process and is divided over the replicas.
 */
function configuration(target: Target, spec: PoolerSpec, timeouts: Timeouts | undefined): string {
  const { host, port, database, sslmode } = target;
  const cap = Math.max(1, Math.floor(spec.maxServerConnections / spec.replicas));
  return [
    '[databases]',
    `* = host=${value(host)} port=${port} dbname=${value(database)}${onConnect(timeouts)}`,
    '',
    '[pgbouncer]',
    'listen_addr = *',
    `listen_port = ${poolerPort}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    'auth_type = scram-sha-256',
    'auth_file = /etc/pgbouncer/userlist.txt',
    `default_pool_size = ${Math.min(spec.poolSize, cap)}`,
    `max_user_connections = ${cap}`,
    'max_client_conn = 5000',
    // Never 0: PostgREST prepares its statements, and with 0 it exits with 42P05.
    'max_prepared_statements = 200',
    `query_wait_timeout = ${poolWaitSeconds(timeouts)}`,
    // Without these a database that was away is tried again after 15 s, and one that is gone is noticed after hours.
    'server_login_retry = 1',
    'server_connect_timeout = 5',
    'tcp_keepidle = 30',
    'tcp_keepintvl = 10',
    'tcp_keepcnt = 3',
    'ignore_startup_parameters = extra_float_digits,options',
    `server_tls_sslmode = ${sslmode ?? 'prefer'}`,
    'log_connections = 0',
    'log_disconnections = 0',
    '',
  ].join('\n');
}

/** What every new server connection is told; PgBouncer ignores the options that its clients ask for. */
function onConnect(timeouts: Timeouts | undefined): string {
  if (timeouts?.statement === undefined) return '';
  return ` connect_query='set statement_timeout = ${durationMs(timeouts.statement)}'`;
}

/** A value in a connect string: in quotes, quotes doubled. */
function value(text: string): string {
  return /^[-A-Za-z0-9_.:]+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

/** A word in userlist.txt: in double quotes, double quotes doubled. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
