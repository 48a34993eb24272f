import fc from 'fast-check';
import { ownedParameters } from '../api/v1alpha1/postgrestConfig.ts';
import type { KubeObject } from '../runtime/object.ts';
import { minimalApiInstance, minimalApiSchema, withValue } from './apiObjects.ts';

/** Short texts of few characters: they break a rule about as often as they keep it. */
function textOf(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters), maxLength });
}

const optional = { requiredKeys: [] };
const value = fc.string({ maxLength: 3 });
const name = textOf('a1.-A', 5);
const secret = fc.record({ name: fc.constant('todo'), key: textOf('aA0._-/', 3) });
const sqlFrom = fc.record({ configMapKeyRef: secret });
const migration = fc.oneof(
  fc.record({ name: textOf('ab', 2), sql: fc.constant('x') }),
  fc.record({ name: fc.constant('c'), sql: textOf('x', 1), sqlFrom }, optional),
  fc.record({ name: textOf('a1.-_ ', 3), sql: fc.constant('x') }),
);
const duration = textOf('19hmsd. ', 5);
const step = fc.oneof(
  fc.record({ weight: fc.integer({ min: -1, max: 101 }) }),
  fc.record({ pause: fc.record({ duration }, optional) }),
  fc.record({ weight: fc.constant(1), pause: fc.constant({}) }, optional),
);
const parameter = fc.oneof(
  fc.constantFrom(...ownedParameters),
  fc.constantFrom('db-max-rows', 'db-pool', 'db-plan-enabled', 'log-level', 'jwt-aud', 'db-uris'),
  textOf('a1-A_.', 3).map((text) => `app-settings-${text}`),
);
const parameterValue = fc.oneof(
  fc.integer({ min: -1, max: 1001 }),
  fc.constantFrom('true', 'True', 'yes', 'warn', 'loud', '10', '010', '1.5', '99999999999'),
  value,
);
const ingressNginx = 'nginx.ingress.kubernetes.io';
const annotation = fc.constantFrom(
  ...[
    'example.com/a',
    `${ingressNginx}/proxy-body-size`,
    'nginx-ingress.kubernetes.io/canary',
    'pgrst.device/a',
  ],
  ...[`${ingressNginx}/canary`, `${ingressNginx}/canary-by-header`, 'pgrst.dev/a'],
);

const route = fc.record(
  {
    path: textOf('/a.-', 3).map((text) => `/${text}`),
    to: textOf('/a?', 2).map((text) => `/${text}`),
    service: fc.constant({ name: 'files', port: 80 }),
  },
  { requiredKeys: ['path'] },
);
const parentRefs = fc.constant([{ name: 'web' }]);
const podLabels = fc.dictionary(
  fc.oneof(
    fc.constantFrom('pgrst.dev/a', 'pgrst.device/a', 'app.kubernetes.io/name', 'app.kubernetes.io'),
    textOf('aA1._-/ ', 4),
  ),
  textOf('aA1._- /', 3),
  { maxKeys: 2 },
);

/** The object with one field changed: what is refused is refused for that field, and cannot hide another. */
function changed(
  base: KubeObject,
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<KubeObject> {
  return fc.oneof(
    ...Object.entries(fields).map(([path, values]) => values.map((random) => withValue(base, path, random))),
  );
}

/** ApiSchemas, about half of which break a rule. */
export const apiSchemaObject: fc.Arbitrary<KubeObject> = changed(minimalApiSchema, {
  'metadata.name': fc.integer({ min: 60, max: 66 }).map((length) => 'a'.repeat(length)),
  'spec.schema': fc.oneof(
    fc.constantFrom('public', 'publics', 'pg', 'pg_x', 'pgrst', 'pgrst_x', 'information_schema'),
    textOf('aA1_-', 4),
  ),
  'spec.database.uriSecretRef': fc.record({ name, key: fc.constant('uri') }),
  'spec.migrations': fc.array(migration, { maxLength: 3 }),
  'spec.api': fc.record({ sql: textOf('x', 1), sqlFrom: fc.array(sqlFrom, { maxLength: 2 }) }, optional),
  'spec.deletionPolicy': fc.constantFrom('Retain', 'Delete', 'retain', ''),
});

/** ApiInstances, about half of which break a rule. */
export const apiInstanceObject: fc.Arbitrary<KubeObject> = changed(minimalApiInstance, {
  'metadata.name': fc.oneof(
    fc.integer({ min: 38, max: 43 }).map((length) => 'a'.repeat(length)),
    fc.constantFrom('1a', 'a1', 'a.b', 'a-b'),
  ),
  'spec.replicas': fc.oneof(fc.integer({ min: -1, max: 2 }), fc.integer({ min: 199, max: 202 })),
  'spec.schemaRef.release': textOf('0f', 9),
  'spec.postgrest.config': fc.dictionary(parameter, parameterValue, { maxKeys: 2 }),
  'spec.postgrest.resources.limits': fc.dictionary(
    fc.constantFrom('cpu', 'memory', 'ephemeral-storage', 'gpu', 'CPU'),
    fc.oneof(fc.constant('1'), textOf('1.kKi', 4)),
    { maxKeys: 2 },
  ),
  'spec.expose.host': textOf('a1.-A', 5),
  'spec.expose.path': textOf('/a.-', 5).map((text) => `/${text}`),
  'spec.expose.annotations': fc.dictionary(annotation, value, { maxKeys: 2 }),
  'spec.expose.routes': fc.array(route, { maxLength: 2 }),
  'spec.expose.timeouts': fc.record({ statement: duration, request: duration }, optional),
  'spec.expose.timeouts.request': fc.nat(3_700).map((seconds) => `${seconds}s`),
  'spec.expose.bodySize': textOf('019KMGi.', 4),
  'spec.expose.cors.allowOrigins': fc.array(
    textOf('a.:/*', 3).map((text) => `http://${text}`),
    { maxLength: 1 },
  ),
  'spec.expose': fc.record(
    {
      host: fc.constant('todo.example.com'),
      router: fc.constantFrom('IngressNginx', 'GatewayAPI'),
      parentRefs,
      tls: fc.constant({ secretName: 'tls' }),
    },
    { requiredKeys: ['host'] },
  ),
  'spec.postgrest.podTemplate.labels': podLabels,
  'spec.postgrest.podTemplate.annotations': podLabels,
  'spec.postgrest.podTemplate.nodeSelector': podLabels,
  'spec.rollout.analysis': fc.record(
    { maxErrorRate: textOf('019.%', 4), maxP95: duration, minRequests: fc.integer({ min: -1, max: 2 }) },
    optional,
  ),
  'spec.rollout.steps': fc.array(step, { maxLength: 2 }),
  'spec.rollout.warmFor': duration,
});
