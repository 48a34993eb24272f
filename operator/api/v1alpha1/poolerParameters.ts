/** A parameter of pgbouncer.ini that `spec.pooler.parameters` may set. Every value is written as a string. */
export interface PoolerParameter {
  /** The values it may have: a range of whole numbers, both ends included, or words. */
  readonly values: { readonly from: number; readonly to: number } | { readonly words: readonly string[] };
  /** What PgBouncer gets where the spec says nothing. */
  readonly byDefault: string;
  /** What a change takes: running processes read it anew, or their pods are replaced one by one. */
  readonly change: 'reload' | 'pods';
  /** What it does, as a sentence. */
  readonly text: string;
}

const reloaded = (from: number, to: number, byDefault: number, text: string): PoolerParameter => ({
  values: { from, to },
  byDefault: String(byDefault),
  change: 'reload',
  text,
});
const restarted = (from: number, to: number, byDefault: number, text: string): PoolerParameter => ({
  ...reloaded(from, to, byDefault, text),
  change: 'pods',
});
const yesOrNo = (byDefault: 0 | 1, text: string): PoolerParameter => reloaded(0, 1, byDefault, text);

const day = 86_400;

/**
 * What may be set, by name. What a change takes is what `SHOW CONFIG` of PgBouncer 1.24 says; a test with the real
 * program holds this table against it.
 */
export const poolerParameters: Readonly<Record<string, PoolerParameter>> = {
  application_name_add_host: yesOrNo(0, "1: the client's address is added to application_name."),
  autodb_idle_timeout: reloaded(60, day, 60, 'Seconds until the unused pool of an old revision is dropped.'),
  cancel_wait_timeout: reloaded(1, 300, 10, 'Seconds that a cancel request waits for a connection.'),
  client_login_timeout: reloaded(1, 300, 60, 'Seconds that a client has to log in.'),
  dns_max_ttl: reloaded(0, 3600, 15, 'Seconds for which an address from the DNS is kept.'),
  dns_nxdomain_ttl: reloaded(0, 3600, 15, 'Seconds for which a missing name is kept.'),
  idle_transaction_timeout: reloaded(
    0,
    3600,
    0,
    'Seconds after which a client that is idle in a transaction is cut; 0: never.',
  ),
  listen_backlog: restarted(16, 4096, 128, 'Connections that may wait to be accepted.'),
  log_connections: yesOrNo(0, '1: each login is logged.'),
  log_disconnections: yesOrNo(0, '1: each disconnection is logged, with its reason.'),
  log_pooler_errors: yesOrNo(1, '1: each error that PgBouncer sends to a client is logged.'),
  log_stats: yesOrNo(1, '1: statistics are logged once in stats_period.'),
  max_client_conn: reloaded(100, 20_000, 5000, 'Connections of clients that one process takes.'),
  max_packet_size: reloaded(1_048_576, 2_147_483_647, 2_147_483_647, 'Longest message, in bytes.'),
  max_prepared_statements: reloaded(
    1,
    10_000,
    200,
    'Prepared statements that are kept on each server connection. Never 0: PostgREST exits with 42P05 then.',
  ),
  pkt_buf: restarted(2048, 65_536, 4096, 'Size of the buffer of one connection, in bytes.'),
  sbuf_loopcnt: reloaded(0, 100, 5, 'Packets of one connection that are passed on in one go; 0: no limit.'),
  server_check_delay: reloaded(
    0,
    3600,
    30,
    'Seconds that an idle server connection is used without a check.',
  ),
  server_connect_timeout: reloaded(1, 60, 5, 'Seconds that a server connection may take to be made.'),
  server_fast_close: yesOrNo(0, '1: RECONNECT does not wait for the transaction of a session.'),
  // Short: with a user in the `*` line PgBouncer (1.24.1) takes idle connections away from a pool of the same alias only,
  // so those of revisions that went would keep the share of the one that comes (docs/decisions/0051).
  server_idle_timeout: reloaded(1, day, 5, 'Seconds after which an idle server connection is closed.'),
  server_lifetime: reloaded(60, day, 3600, 'Seconds after which a server connection is made anew.'),
  server_login_retry: reloaded(1, 60, 1, 'Seconds until a failed login to the database is tried again.'),
  server_round_robin: yesOrNo(0, '1: server connections are used in turn, not the last one first.'),
  server_tls_protocols: {
    values: { words: ['secure', 'tlsv1.2', 'tlsv1.3'] },
    byDefault: 'secure',
    change: 'reload',
    text: 'Versions of TLS towards the database; secure: 1.2 and 1.3.',
  },
  stats_period: reloaded(1, day, 60, 'Seconds over which averages are taken.'),
  suspend_timeout: reloaded(1, 300, 10, 'Seconds that SUSPEND waits for buffers to be flushed.'),
  tcp_keepalive: yesOrNo(1, '1: TCP keepalive is on.'),
  tcp_keepcnt: reloaded(0, 100, 3, 'Keepalive probes that may be lost; 0: as the system has it.'),
  tcp_keepidle: reloaded(0, 7200, 30, 'Seconds of silence before the first probe; 0: as the system has it.'),
  tcp_keepintvl: reloaded(0, 3600, 10, 'Seconds between probes; 0: as the system has it.'),
  tcp_socket_buffer: reloaded(
    0,
    16_777_216,
    0,
    'Size of the socket buffers in bytes; 0: as the system has it.',
  ),
  tcp_user_timeout: reloaded(
    0,
    600_000,
    0,
    'Milliseconds until sent data must be acknowledged; 0: no limit.',
  ),
  verbose: reloaded(0, 3, 0, 'How much is logged.'),
};

/** Parameters that may not be set, and why: the end of a sentence that begins with the name. */
export interface RefusedPoolerParameters {
  readonly names: readonly string[];
  readonly why: string;
}

/** What is refused, in groups of one reason each. */
export const refusedPoolerParameters: readonly RefusedPoolerParameters[] = [
  {
    names: [
      'auth_type',
      'auth_file',
      'auth_hba_file',
      'auth_ident_file',
      'auth_ldap_options',
      'auth_query',
      'auth_user',
      'auth_dbname',
      'admin_users',
      'stats_users',
    ],
    why: 'cannot be set: the operator makes the users of PgBouncer and their passwords',
  },
  {
    names: [
      'listen_addr',
      'listen_port',
      'unix_socket_dir',
      'unix_socket_mode',
      'unix_socket_group',
      'so_reuseport',
      'peer_id',
    ],
    why: 'cannot be set: PostgREST, the probes and the operator find PgBouncer where the operator has put it',
  },
  {
    names: ['pool_mode', 'server_reset_query', 'server_reset_query_always', 'disable_pqexec'],
    why: 'cannot be set: PostgREST is served in transaction mode, where each request is one transaction',
  },
  {
    names: [
      'default_pool_size',
      'max_user_connections',
      'max_db_connections',
      'min_pool_size',
      'reserve_pool_size',
      'reserve_pool_timeout',
    ],
    why: 'cannot be set: use spec.pooler.poolSize and spec.pooler.maxServerConnections, which hold over all pods and revisions',
  },
  {
    names: ['max_user_client_connections', 'max_db_client_connections'],
    why: 'cannot be set: all pods of PostgREST are one user. Use max_client_conn',
  },
  {
    names: ['query_timeout', 'query_wait_timeout', 'transaction_timeout'],
    why: 'cannot be set: use spec.expose.timeouts, from which the operator makes waits that fit into each other',
  },
  {
    names: ['client_idle_timeout'],
    why: 'cannot be set: PgBouncer would cut connections that PostgREST has in its pool, and requests would fail',
  },
  {
    names: ['ignore_startup_parameters', 'track_extra_parameters', 'server_check_query'],
    why: 'cannot be set: the operator sets it to what PostgREST needs',
  },
  {
    names: [
      'logfile',
      'pidfile',
      'syslog',
      'syslog_facility',
      'syslog_ident',
      'job_name',
      'conffile',
      'user',
      'resolv_conf',
      'service_name',
    ],
    why: 'cannot be set: the container logs to its output, runs as the user of its image and has no other files',
  },
  {
    names: [
      'server_tls_sslmode',
      'server_tls_ca_file',
      'server_tls_cert_file',
      'server_tls_key_file',
      'server_tls_ciphers',
      'server_tls13_ciphers',
    ],
    why: 'cannot be set: TLS towards the database comes from the URI and spec.database.tls',
  },
  {
    names: [
      'client_tls_sslmode',
      'client_tls_ca_file',
      'client_tls_cert_file',
      'client_tls_key_file',
      'client_tls_ciphers',
      'client_tls13_ciphers',
      'client_tls_protocols',
      'client_tls_dheparams',
      'client_tls_ecdhcurve',
    ],
    why: 'cannot be set: PostgREST and PgBouncer talk inside the cluster, without TLS',
  },
];

/** What values a parameter takes, for people. */
export function valuesOf({ values }: PoolerParameter): string {
  return 'words' in values ? values.words.join(', ') : `a whole number from ${values.from} to ${values.to}`;
}

/** Whether a parameter takes this value. */
export function takes({ values }: PoolerParameter, value: string): boolean {
  if ('words' in values) return values.words.includes(value);
  return /^[0-9]{1,10}$/.test(value) && Number(value) >= values.from && Number(value) <= values.to;
}
