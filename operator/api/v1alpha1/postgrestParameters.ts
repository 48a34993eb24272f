import type { PostgrestParameter } from './postgrestParameter.ts';

const boolean = { kind: 'boolean' } as const;
const text = { kind: 'text' } as const;
const list = { kind: 'list' } as const;
const whole = (min: number, max: number) => ({ kind: 'whole', min, max }) as const;
/** A time in seconds, of a day at most. */
const seconds = { kind: 'whole', min: 1, max: 86_400, seconds: true } as const;
const words = (...choice: string[]) => ({ kind: 'word', words: choice }) as const;

const behindTheGate = 'PostgREST listens on loopback, behind the gate';
const adminServer = "the gate alone asks PostgREST's admin server";

/**
 * The parameters of PostgREST 12 to 16 (https://docs.postgrest.org/en/v16/references/configuration.html and its older
 * versions; whether one is reloadable is told there), in alphabetical order. Older names of a parameter are left out.
 * Beside them there is `app-settings-<name>`.
 */
export const postgrestParameters: readonly PostgrestParameter[] = [
  {
    name: 'admin-server-config-enabled',
    type: boolean,
    default: 'false',
    since: '12.2.12',
    until: '12',
    change: 'pods',
    means: 'Whether the admin server shows the configuration.',
    owned: 'it would show the credentials',
  },
  {
    name: 'admin-server-host',
    type: text,
    since: '13',
    change: 'pods',
    means: 'Where the admin server listens.',
    owned: adminServer,
  },
  {
    name: 'admin-server-port',
    type: whole(0, 65_535),
    change: 'pods',
    means: 'Port of the admin server.',
    owned: adminServer,
  },
  {
    name: 'admin-server-unix-socket',
    type: text,
    since: '16',
    change: 'pods',
    means: 'Socket of the admin server.',
    owned: adminServer,
  },
  {
    name: 'admin-server-unix-socket-mode',
    type: text,
    default: '660',
    since: '16',
    change: 'pods',
    means: 'Mode of that socket.',
    owned: adminServer,
  },
  {
    name: 'client-error-verbosity',
    type: words('verbose', 'minimal'),
    default: 'verbose',
    since: '16',
    change: 'reload',
    means: 'Whether errors tell clients details and hints.',
  },
  {
    name: 'db-aggregates-enabled',
    type: boolean,
    default: 'false',
    change: 'reload',
    means: 'Whether clients may ask for sums, counts and the like.',
  },
  {
    name: 'db-anon-role',
    type: text,
    change: 'reload',
    means: 'The role of requests without a token; without it they are refused.',
  },
  {
    name: 'db-channel',
    type: text,
    default: 'pgrst',
    change: 'pods',
    means: 'The channel on which PostgREST hears that it has to reload.',
  },
  {
    name: 'db-channel-enabled',
    type: boolean,
    default: 'true',
    change: 'pods',
    means: 'Whether PostgREST listens on that channel.',
    owned: 'it is on where PostgREST connects directly, and off behind the pooler, where nothing is heard',
  },
  {
    name: 'db-config',
    type: boolean,
    default: 'true',
    // A reload asks the database as the configuration before it says.
    change: 'pods',
    means: 'Whether settings of the role and db-pre-config count.',
  },
  {
    name: 'db-extra-search-path',
    type: list,
    default: 'public',
    change: 'reload',
    means:
      "Schemas behind the exposed one on the search path; the exposed schema's name means the release's.",
  },
  {
    name: 'db-hoisted-tx-settings',
    type: list,
    default: 'statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation',
    since: '12.2',
    change: 'reload',
    means: 'Settings of a function that hold for the whole transaction.',
  },
  {
    name: 'db-max-rows',
    type: whole(0, 2_147_483_647),
    change: 'reload',
    means: 'The most rows that an answer has; without it there is no limit.',
  },
  {
    name: 'db-plan-enabled',
    type: boolean,
    default: 'false',
    change: 'reload',
    means: 'Whether clients may ask for the plan of a query.',
  },
  {
    name: 'db-pool',
    type: whole(1, 1000),
    default: '10',
    change: 'pods',
    means: 'The most connections to the database that a pod has, beside the one that listens.',
  },
  {
    name: 'db-pool-acquisition-timeout',
    type: seconds,
    default: '10',
    change: 'pods',
    means: 'How long a request waits for a connection of the pool.',
    chosen: 'less than `expose.timeouts.request` where that is 10 s or less',
  },
  {
    name: 'db-pool-automatic-recovery',
    type: boolean,
    default: 'true',
    change: 'pods',
    means: 'Whether a lost connection is made anew; if not, PostgREST ends and its container restarts.',
  },
  {
    name: 'db-pool-max-idletime',
    type: seconds,
    default: '30',
    change: 'pods',
    means: 'How long a connection may be idle before it is closed.',
  },
  {
    name: 'db-pool-max-lifetime',
    type: seconds,
    default: '1800',
    change: 'pods',
    means: 'How old a connection may become.',
    chosen: 'less behind the pooler, so that it can drain',
  },
  {
    name: 'db-pre-config',
    type: text,
    // As with db-config.
    change: 'pods',
    means: "A function that sets parameters; the exposed schema's name means the release's.",
  },
  {
    name: 'db-pre-request',
    type: text,
    change: 'reload',
    means: "A function that is called first in each request; the exposed schema's name means the release's.",
  },
  {
    name: 'db-prepared-statements',
    type: boolean,
    default: 'true',
    // Since 16 a property of the connection: those that are open keep theirs.
    change: 'pods',
    means: 'Whether statements are prepared.',
    chosen: '`false` behind the pooler',
  },
  {
    name: 'db-root-spec',
    type: text,
    change: 'reload',
    means:
      "A function that answers at the root instead of OpenAPI; the exposed schema's name means the release's.",
  },
  {
    name: 'db-schemas',
    type: list,
    default: 'public',
    change: 'reload',
    means: 'The exposed schemas.',
    owned: 'it is the schema of the release',
  },
  {
    name: 'db-tx-end',
    type: words('commit', 'commit-allow-override', 'rollback', 'rollback-allow-override'),
    default: 'commit',
    change: 'pods',
    means: 'How transactions end, and whether a request may choose.',
  },
  {
    name: 'db-uri',
    type: text,
    change: 'pods',
    means: 'The connection.',
    owned: 'spec.database and spec.pooler say it',
  },
  {
    name: 'jwt-aud',
    type: text,
    change: 'reload',
    means: 'The audience that a token must be for; without it any will do.',
  },
  {
    name: 'jwt-cache-max-entries',
    type: whole(0, 1_000_000),
    default: '1000',
    since: '14',
    change: 'reload',
    means: 'How many checked tokens are remembered; 0 is none.',
  },
  {
    name: 'jwt-cache-max-lifetime',
    type: whole(0, 2_147_483_647),
    default: '0',
    until: '13',
    change: 'reload',
    means: 'How many seconds a checked token is remembered; 0 is not at all.',
  },
  {
    name: 'jwt-role-claim-key',
    type: text,
    change: 'reload',
    means: 'Where in a token the role is; by default the claim role.',
  },
  {
    name: 'jwt-secret',
    type: text,
    change: 'pods',
    means: 'What tokens are checked with.',
    owned: 'spec.postgrest.jwtSecretRef says it',
  },
  {
    name: 'jwt-secret-is-base64',
    type: boolean,
    default: 'false',
    change: 'reload',
    means: 'Whether that is base64.',
  },
  {
    name: 'log-level',
    type: words('crit', 'error', 'warn', 'info', 'debug'),
    default: 'error',
    // Reloadable since 16 only.
    change: 'pods',
    means: 'What is logged: each word means more than the one before.',
  },
  {
    name: 'log-query',
    type: words('true', 'false', 'main-query', 'disabled'),
    since: '13',
    change: 'reload',
    means:
      'Whether the SQL of requests is logged: `main-query` or `disabled` in 13, `true` or `false` since 14.',
  },
  {
    name: 'openapi-mode',
    type: words('follow-privileges', 'ignore-privileges', 'disabled'),
    default: 'follow-privileges',
    change: 'reload',
    means: 'What the OpenAPI document at the root shows.',
  },
  {
    name: 'openapi-security-active',
    type: boolean,
    default: 'false',
    change: 'reload',
    means: 'Whether it says that tokens are used.',
  },
  {
    name: 'openapi-server-proxy-uri',
    type: text,
    change: 'pods',
    means: 'The address that it gives for the API.',
  },
  {
    name: 'server-cors-allowed-origins',
    type: list,
    change: 'pods',
    means: 'Origins whose scripts may read answers; without it all may.',
    chosen: '`expose.cors.allowOrigins` where that is set',
  },
  { name: 'server-host', type: text, change: 'pods', means: 'Where it listens.', owned: behindTheGate },
  {
    name: 'server-port',
    type: whole(0, 65_535),
    default: '3000',
    change: 'pods',
    means: 'The port.',
    owned: behindTheGate,
  },
  {
    name: 'server-reuseport',
    type: boolean,
    default: 'false',
    since: '16',
    change: 'pods',
    means: 'Whether several processes share the port.',
    owned: 'a pod has one process',
  },
  {
    name: 'server-timing-enabled',
    type: boolean,
    default: 'false',
    change: 'reload',
    means: 'Whether answers tell how long their parts took.',
  },
  {
    name: 'server-trace-header',
    type: text,
    // Reloadable since 12.2 only.
    change: 'pods',
    means: 'A header of the request that the answer repeats.',
    owned: 'by it the operator sees which settings a pod has loaded',
  },
  { name: 'server-unix-socket', type: text, change: 'pods', means: 'The socket.', owned: behindTheGate },
  {
    name: 'server-unix-socket-mode',
    type: text,
    default: '660',
    change: 'pods',
    means: 'Mode of that socket.',
    owned: behindTheGate,
  },
  {
    name: 'url-use-legacy-target-names',
    type: boolean,
    default: 'true',
    since: '16',
    change: 'reload',
    means: 'Whether a relation that has an alias may be named in filters too.',
  },
];
