import type { PoolerSpec } from '../../api/v1alpha1/apiInstancePooler.ts';
import type { DatabaseUri } from '../../api/v1alpha1/databaseUri.ts';
import { poolerParameters } from '../../api/v1alpha1/poolerParameters.ts';
import { durationMs } from '../../api/v1alpha1/shared.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { labels, names, ownedMetadata, type Owner } from '../names.ts';
import { poolerPort } from '../ports.ts';
import { poolWaitSeconds, type Timeouts } from '../timeouts.ts';
import { credentialsKey, poolerUsers, shown, type PoolerCredentials } from './credentials.ts';
import { startingShare } from './share.ts';

/** Where PgBouncer leads. */
export type Target = Omit<DatabaseUri, 'parameters'>;

/** `spec.database.tls`, with the certificates that it names (PEM). */
export interface PoolerTls {
  readonly mode: string;
  readonly ca?: string;
}

/** What PgBouncer's configuration is made of. */
export interface PoolerConfiguration {
  readonly uri: Target;
  readonly spec: PoolerSpec;
  /** Absent: what the URI says. */
  readonly tls?: PoolerTls;
  readonly credentials: PoolerCredentials;
  /** How many processes there are, or are about to be. */
  readonly processes: number;
  /** Those of the spec as it is: the pooler is one for all revisions. */
  readonly timeouts?: Timeouts;
}

/** Key of the Secret, and file, with the certificates of the database's authority. */
export const authorityKey = 'ca.crt';

/** Key of the Secret with what the exporter logs in to the console with. */
export const exporterKey = 'exporter';

/** Why PgBouncer cannot use a URI, as the end of a sentence; undefined when it can. `tls`: `spec.database.tls`. */
export function poolerCannotUse(
  { host, user, password, sslmode, parameters }: DatabaseUri,
  tls?: { readonly mode: string },
): string | undefined {
  if (parameters['options'] !== undefined)
    return 'its options do not get through PgBouncer: remove them, and set them for the role (alter role ... set ...) or, statement_timeout, in spec.expose.timeouts.';
  if (tls === undefined && sslmode?.startsWith('verify-') === true)
    return `PgBouncer needs certificates for sslmode ${sslmode}: name them in spec.database.tls.`;
  if (host.startsWith('/')) return 'it names a socket of another machine: name a host.';
  if (password === '') return 'it holds no password.';
  return Object.values<string>(poolerUsers).includes(user)
    ? `its user ${user} is one that PgBouncer has for the operator's own use: name another.`
    : undefined;
}

/**
 * The one Secret that the operator writes: PgBouncer's configuration and users, what it has made of credentials, and for
 * PostgREST its own in the form that a URI takes.
 */
export function poolerSecret(owner: Owner, from: PoolerConfiguration): KubeObject {
  const { credentials } = from;
  const files = {
    'pgbouncer.ini': configuration(from, configGeneration(from)),
    'userlist.txt': userList(from),
    userinfo: `${poolerUsers.client}:${credentials.client}`,
    [credentialsKey]: JSON.stringify(credentials),
    [exporterKey]: `postgres://${poolerUsers.stats}:${credentials.stats.password}@127.0.0.1:${poolerPort}/pgbouncer?sslmode=disable`,
    ...(from.tls?.ca === undefined ? {} : { [authorityKey]: from.tls.ca }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: ownedMetadata(owner, names(owner.name).pooler, labels(owner.name, 'pooler')),
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, base64(text)])),
  };
}

/**
 * Tells one configuration from another without telling anything of it. A process shows it in `SHOW CONFIG` as its
 * `syslog_ident`, which means nothing as long as syslog is off: so one sees which configuration it has loaded.
 */
export function configGeneration(from: PoolerConfiguration): string {
  return shown(from.credentials, `${configuration(from, '')}${userList(from)}${from.tls?.ca ?? ''}`);
}

/**
 * How PgBouncer logs in to the database, whoever has logged in to it, and what it tells each new connection. The
 * password is not in it: while a line like this changes, PgBouncer (1.24.1) fails requests that wait for a connection.
 */
export function serverLine({ uri, timeouts }: Pick<PoolerConfiguration, 'uri' | 'timeouts'>): string {
  const { host, port, database, user } = uri;
  return `host=${value(host)} port=${port} dbname=${value(database)} user=${value(user)}${onConnect(timeouts)}`;
}

/**
 * PgBouncer 1.24 or newer. Every alias that a client names becomes a pool of its own on the same database, so each
 * revision has its share.
 */
function configuration(from: PoolerConfiguration, generation: string): string {
  const { uri, spec, tls, processes, timeouts } = from;
  const { connections, poolSize } = startingShare(spec, processes);
  return [
    '[databases]',
    `* = ${serverLine(from)}`,
    '',
    '[pgbouncer]',
    'listen_addr = *',
    `listen_port = ${poolerPort}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    'auth_type = scram-sha-256',
    'auth_file = /etc/pgbouncer/userlist.txt',
    `admin_users = ${poolerUsers.admin}`,
    `stats_users = ${poolerUsers.stats}`,
    `syslog_ident = ${generation}`,
    `default_pool_size = ${poolSize}`,
    `max_user_connections = ${connections}`,
    `query_wait_timeout = ${poolWaitSeconds(timeouts)}`,
    'ignore_startup_parameters = extra_float_digits,options',
    `server_tls_sslmode = ${tls?.mode ?? uri.sslmode ?? 'prefer'}`,
    ...(tls?.ca === undefined ? [] : [`server_tls_ca_file = /etc/pgbouncer/${authorityKey}`]),
    ...Object.entries(poolerParameters).map(
      ([name, { byDefault }]) => `${name} = ${spec.parameters?.[name] ?? byDefault}`,
    ),
    '',
  ].join('\n');
}

/**
 * The user of the database, whose password PgBouncer takes from here, and the users that the operator makes. PostgREST's
 * stands in clear: once a client has logged in by a verifier, PgBouncer (1.24.1) logs in to the database with that
 * client's keys. Pods that an older operator has made log in as the user of the database.
 */
function userList({ uri, credentials }: PoolerConfiguration): string {
  const { client, admin, stats } = credentials;
  const users = [
    [uri.user, uri.password],
    [poolerUsers.client, client],
    [poolerUsers.admin, admin.verifier],
    [poolerUsers.stats, stats.verifier],
  ];
  return users.map((words) => `${words.map(quoted).join(' ')}\n`).join('');
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
