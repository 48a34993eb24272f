import { z } from 'zod';
import { atMost, keyedList, matching, rule, transition } from './rule.ts';
import { duration, durationMs, objectName, secretKeyRef, subdomain } from './shared.ts';

const ownedAnnotation = /^(nginx[.]ingress[.]kubernetes[.]io[/]canary|pgrst[.]dev[/])/;

const annotations = rule(atMost(z.record(z.string(), z.string().max(4096)), 32), {
  cel: `!self.exists(name, name.matches('${ownedAnnotation.source}'))`,
  js: (value) => !Object.keys(value).some((name) => ownedAnnotation.test(name)),
  message:
    'the operator steers traffic by nginx.ingress.kubernetes.io/canary* and keeps pgrst.dev/* for itself: remove these annotations',
})
  .default({})
  .describe("Extra annotations for the Ingress. Those that steer the canary are the operator's own.");

/** A host of an Ingress: no IP address, which the API server would refuse there. */
const host = rule(
  matching(
    z.string().min(1).max(253),
    subdomain,
    "host is a DNS name in lower case letters, digits, '-' and '.', such as api.example.com",
  ),
  {
    cel: "!self.matches('^[0-9.]+$')",
    js: (value) => !/^[0-9.]+$/.test(value),
    message: 'host is a DNS name: an Ingress takes no IP address',
  },
);

const path = transition(
  matching(
    z.string().min(1).max(512),
    /^([/]|([/][-_~A-Za-z0-9][-_~.A-Za-z0-9]*)+)$/,
    "path begins with '/' and does not end with it, such as /todo; its segments have letters, digits, '-', '_', '~' and '.', and do not begin with '.'",
  ),
  {
    // The old revision's gates strip the old prefix: in the middle of a rollout only one of the two could be served.
    cel: 'self == oldSelf',
    message:
      'path is immutable: create another ApiInstance with the new path, and delete this one once nobody uses it',
  },
);

/** A Service of the same namespace that the operator does not manage. */
export const otherService = z
  .object({
    name: objectName.describe('Name of the Service, in the namespace of this object.'),
    port: z.int().min(1).max(65_535).describe('Port of the Service, by number.'),
  })
  .describe('A Service of the same namespace that the operator does not manage.');

const route = rule(
  z.object({
    path: matching(
      z.string().min(2).max(256),
      /^([/][-_~A-Za-z0-9][-_~.A-Za-z0-9]*)+$/,
      "a route's path begins with '/' and does not end with it, such as /api/v1/auth/login; its segments have letters, digits, '-', '_', '~' and '.', and do not begin with '.'",
    ).describe(
      'The path that clients use, below `expose.path`. It matches as a whole, and everything below it.',
    ),
    to: matching(
      z.string().min(1).max(256),
      /^[/][-_~.A-Za-z0-9/]*$/,
      "to is a path of PostgREST: /, /rpc/<function> or /<relation>, with letters, digits, '-', '_', '~', '.' and '/'",
    )
      .optional()
      .describe(
        'The path of PostgREST that answers instead: `/rpc/<function>`, `/<relation>` or `/`, the OpenAPI document. The query goes with it. Exactly one of to and service.',
      ),
    service: otherService
      .optional()
      .describe(
        'Another Service that answers, which gets the path as the client wrote it. Exactly one of to and service.',
      ),
  }),
  {
    cel: 'has(self.to) != has(self.service)',
    js: (value) => (value.to === undefined) !== (value.service === undefined),
    message:
      'a route leads either to a path of PostgREST or to another Service: set exactly one of to and service',
  },
);

/** Milliseconds of a text; undefined for one that its own rule refuses already. */
const milliseconds = (text: string): number | undefined =>
  duration.safeParse(text).success ? durationMs(text) : undefined;

/** The statement_timeout of 0 would be none at all. */
const statement = rule(duration, {
  cel: "duration(self) > duration('0s')",
  js: (text) => milliseconds(text) !== 0,
  message: 'timeouts.statement must be longer than 0s; leave it out to have none',
});

/** The grace period of the pods follows it: a node that is drained waits for as long. */
const request = rule(duration, {
  cel: "duration(self) >= duration('2s') && duration(self) <= duration('1h')",
  js: (text) => {
    const ms = milliseconds(text);
    return ms === undefined || (ms >= 2000 && ms <= 3_600_000);
  },
  message: 'timeouts.request is at least 2s and at most 1h',
});

const timeouts = rule(
  z.object({
    statement: statement
      .optional()
      .describe(
        'statement_timeout of the connections to the database; a role that has one of its own keeps that. Behind the pooler it is set for all revisions at once. Absent: what the role or the database has; then it is not lined up with the others.',
      ),
    request: request
      .default('55s')
      .describe(
        'How long the gate waits for PostgREST. The ingress waits 5 s longer, and the grace period of the pods is long enough for one such request.',
      ),
  }),
  {
    cel: '!has(self.statement) || !has(self.request) || duration(self.statement) < duration(self.request)',
    js: (value) => {
      const [inner, outer] = [value.statement, value.request].map((text) => milliseconds(text ?? ''));
      return inner === undefined || outer === undefined || inner < outer;
    },
    message:
      'timeouts.statement must be shorter than timeouts.request: who is nearer to the database gives up first',
  },
)
  .prefault({})
  .describe('How long each part waits; status.timeouts shows the whole chain.');

const parentRef = z.object({
  name: objectName.describe('Name of the Gateway.'),
  namespace: objectName.optional().describe('Its namespace. Absent: the namespace of this object.'),
  sectionName: objectName.optional().describe('Its listener. Absent: all that fit the host.'),
});

const exposed = z.object({
  host: host.describe('Host name under which clients reach the API.'),
  path: path
    .default('/')
    .describe(
      'Path prefix under which clients reach the API; it is stripped before PostgREST sees the request. Immutable.',
    ),
  router: z
    .enum(['IngressNginx', 'GatewayAPI'])
    .default('IngressNginx')
    .describe(
      'Who steers the traffic: ingress-nginx by its canary annotations, or any Gateway by the weights of an HTTPRoute.',
    ),
  className: objectName
    .default('nginx')
    .describe('IngressClass of the ingress-nginx controller that serves the host (router IngressNginx).'),
  parentRefs: z
    .array(parentRef)
    .min(1)
    .max(8)
    .optional()
    .describe('The Gateways that serve the host (router GatewayAPI).')
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
  tls: z
    .object({
      secretName: objectName.describe('Secret of type kubernetes.io/tls with the certificate of the host.'),
    })
    .optional()
    .describe('TLS at the ingress (router IngressNginx; a Gateway has its certificate at the listener).'),
  routes: keyedList(z.array(route).max(32), 'path')
    .default([])
    .describe(
      'Old paths that live on, and other services beside PostgREST. The longest path that fits wins.',
    ),
  timeouts,
  bodySize: matching(
    z.string().min(1).max(12),
    /^[1-9][0-9]*(Ki|Mi|Gi)?$/,
    'bodySize is a number of bytes, or of Ki, Mi or Gi, such as 10Mi',
  )
    .optional()
    .describe("Largest body of a request. Absent: the router's own limit (1 MiB with ingress-nginx)."),
  rateLimit: z
    .object({
      requestsPerSecond: z
        .int()
        .min(1)
        .max(100_000)
        .describe('Requests of one client address in a second, at each ingress replica.'),
      burst: z
        .int()
        .min(1)
        .max(1000)
        .default(5)
        .describe('How many times as many it may send at once before it is answered 503.'),
    })
    .optional()
    .describe('A limit for each client address (router IngressNginx).'),
  cors: z
    .object({
      allowOrigins: z
        .array(
          matching(
            z.string().min(1).max(256),
            /^https?:[/][/][-.:A-Za-z0-9]+$/,
            'an origin is a scheme, a host and perhaps a port, such as https://app.example.com',
          ),
        )
        .min(1)
        .max(32)
        .describe('Origins whose scripts may read answers.')
        .meta({ 'x-kubernetes-list-type': 'set' }),
    })
    .optional()
    .describe('Which web pages may call the API. Absent: all, which is what PostgREST does by itself.'),
  preview: z
    .object({
      valueSecretRef: secretKeyRef.describe(
        'Key of a Secret with the value that the header X-Pgrst-Preview must have. The router object holds it in clear, so that whoever may read Ingresses or HTTPRoutes here knows it.',
      ),
    })
    .optional()
    .describe('Reach the candidate before it gets traffic, by the header X-Pgrst-Preview.'),
  annotations,
});

/** How clients reach the API. */
export const expose = rule(
  rule(exposed, {
    cel: "(self.router == 'GatewayAPI') == has(self.parentRefs)",
    js: ({ router, parentRefs }) => (router === 'GatewayAPI') === (parentRefs !== undefined),
    message: 'parentRefs belongs to router GatewayAPI, which needs it: set both or neither',
  }),
  {
    cel: "self.router == 'IngressNginx' || !(has(self.tls) || has(self.rateLimit))",
    js: ({ router, tls, rateLimit }) =>
      router === 'IngressNginx' || (tls === undefined && rateLimit === undefined),
    message:
      'tls and rateLimit work with router IngressNginx only: with a Gateway they belong to its listener and its policies',
  },
).describe('How clients reach the API.');
/** How clients reach the API, defaults filled in. */
export type Expose = z.infer<typeof expose>;
/** An entry of `expose.routes`. */
export type ExposeRoute = Expose['routes'][number];
