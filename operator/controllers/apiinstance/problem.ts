import { canonicalConfig } from '../../api/v1alpha1/postgrestConfig.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import { readDatabaseUri } from '../../api/v1alpha1/databaseUri.ts';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { isPreviewValue } from '../../resources/ingress.ts';
import { poolerCannotUse } from '../../resources/pooler/configuration.ts';
import { timeoutProblem } from '../../resources/timeouts.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import { unsupportedProblem } from './poolerProblem.ts';
import type { World } from './world.ts';

/** Something that a person has to mend before the spec can be rolled out. What serves goes on serving. */
export interface Problem {
  readonly reason: Reason;
  readonly message: string;
  /** True where it may mend itself, because something else is still at work: nobody has to be called. */
  readonly mayPass?: true;
}

/** The first thing that keeps the spec from being rolled out; undefined when nothing does. */
export function findProblem(world: World): Problem | undefined {
  const { spec, schema, databaseUri, databaseCa, jwtSecret, preview, foreign } = world;
  if (!spec) {
    return {
      reason: 'InvalidSpec',
      message: `The spec is not valid: ${world.specErrors}. Correct it and apply it again.`,
    };
  }
  const taken = foreign[0];
  if (taken) {
    return {
      reason: 'NameConflict',
      message: `${taken.kind} ${taken.name} exists and belongs to somebody else, so it is not touched. Rename this ApiInstance or remove that object.`,
    };
  }
  const pooler = unsupportedProblem(world);
  if (pooler) return pooler;
  const exposure = exposureProblem(world, spec);
  if (exposure) return exposure;
  const name = spec.schemaRef.name;
  if (!schema) {
    return {
      reason: 'SchemaNotFound',
      message: `There is no ApiSchema ${name} in this namespace. Create it, or correct spec.schemaRef.name.`,
    };
  }
  const { release } = spec.schemaRef;
  if (release !== undefined && !schema.releases.some(({ id }) => id === release)) {
    const known = schema.releases.map(({ id }) => id).join(', ') || 'none yet';
    return {
      reason: 'ReleaseNotFound',
      message: `ApiSchema ${name} has no release ${release}; it has ${known}. Correct spec.schemaRef.release, or remove it to follow the newest.`,
    };
  }
  if (!schema.newest) {
    return {
      reason: 'SchemaNotReady',
      message: `ApiSchema ${name} has not published a release yet. ${schema.message}`.trim(),
      mayPass: true,
    };
  }
  for (const secret of [databaseUri, databaseCa, jwtSecret, preview]) {
    if (secret?.state === 'missing') {
      return {
        reason: 'SecretNotFound',
        message: `${secret.what} Create it: nothing new is rolled out until then.`,
      };
    }
  }
  if (preview?.state === 'found' && !isPreviewValue(preview.value)) {
    const { name: secret, key } = spec.expose.preview?.valueSecretRef ?? { name: '', key: '' };
    return {
      reason: 'SecretInvalid',
      message: `The preview value in Secret ${secret}, key ${key}, cannot be used: ingress-nginx takes letters, digits and -._~:/ there. Put such a value into it.`,
    };
  }
  if (databaseUri.state === 'found') {
    const uri = readDatabaseUri(databaseUri.value);
    const error = 'error' in uri ? uri.error : spec.pooler && poolerCannotUse(uri, spec.database.tls);
    const { name: secret, key } = spec.database.uriSecretRef;
    if (error !== undefined) {
      return {
        reason: 'SecretInvalid',
        message: `The database URI in Secret ${secret}, key ${key}, cannot be used: ${error}`,
      };
    }
  }
  return undefined;
}

/** What keeps the way in for clients from being what the spec says. */
function exposureProblem({ router, rival }: World, spec: ApiInstanceSpec): Problem | undefined {
  const { expose } = spec;
  if (!router) {
    return {
      reason: 'RouterUnavailable',
      message: `The operator was not told of a router ${expose.router}: set the chart's value gateway.service to the Service of what serves your Gateways, or use another spec.expose.router.`,
    };
  }
  if (rival !== undefined) {
    return {
      reason: 'HostTaken',
      message: `${rival} claims ${expose.host}${expose.path} too, so that it is chance who gets the traffic. Remove one of the two.`,
    };
  }
  const disorder = timeoutProblem({
    timeouts: { request: expose.timeouts.request },
    postgrest: { config: canonicalConfig(spec.postgrest.config) },
    database: { pooled: spec.pooler !== undefined },
  });
  return disorder === undefined ? undefined : { reason: 'InvalidSpec', message: disorder };
}

/** Looked at again by itself too: Secrets are not watched, nor are objects of somebody else. */
const recheckAfterMs = 30_000;

/** What a reconcile comes to that has met a problem. */
export function blockedBy({ reason, message }: Problem): Outcome {
  return { kind: 'blocked', reason, message, recheckAfterMs };
}
