import { z } from 'zod';

const port = z.coerce.number().int().min(1).max(65_535);
const namespacedName = z
  .string()
  .regex(/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*$/, 'must be <namespace>/<name>')
  .transform((text) => {
    const [namespace = '', name = ''] = text.split('/');
    return { namespace, name };
  });

/** Every environment variable that the operator reads, without its prefix; the chart sets them. */
const variables = z.object({
  POSTGREST_IMAGE: z.string().min(1).describe("PostgREST's image where an instance names none."),
  GATE_IMAGE: z.string().min(1).describe('nginx with its njs module.'),
  PGBOUNCER_IMAGE: z.string().min(1).describe("PgBouncer's image where an instance names none."),
  PGBOUNCER_EXPORTER_IMAGE: z
    .string()
    .min(1)
    .optional()
    .describe('pgbouncer_exporter, which tells Prometheus of each PgBouncer; absent: nobody does.'),
  INGRESS_SERVICE: namespacedName
    .default({ namespace: 'ingress-nginx', name: 'ingress-nginx-controller' })
    .describe("The ingress controller's Service: traffic is proved at each of its pods."),
  GATEWAY_SERVICE: namespacedName
    .optional()
    .describe(
      "The Gateway's Service, whose port for HTTP is named web or http; absent: no instance can have router GatewayAPI.",
    ),
  WATCH_NAMESPACE: z.string().default('').describe('The one namespace to look after; empty: all.'),
  LEASE_NAMESPACE: z.string().default('default').describe('Namespace of the Lease.'),
  LEASE_NAME: z.string().default('postgrest-operator').describe('Name of the Lease.'),
  IDENTITY: z.string().default('postgrest-operator').describe("Who holds the Lease: the pod's name."),
  LEADER_ELECTION: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('false: act at once, for development with a single operator.'),
  METRICS_PORT: port.default(8080).describe('Port of /metrics.'),
  PROBE_PORT: port.default(8081).describe('Port of /healthz and /readyz.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe level to log.'),
});

/** The operator's configuration, checked and frozen. */
export type Config = Readonly<z.output<typeof variables>>;

const prefix = 'PGRST_OPERATOR_';

/** Reads the configuration from environment variables; throws one error that names all that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(variables.shape).flatMap((name) => {
      const value = environment[prefix + name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const parsed = variables.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const wrong = parsed.error.issues.map((issue) => `${prefix}${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`the configuration is not valid: ${wrong.join('; ')}`);
}
