import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { gateConfigMap } from '../../resources/gate.ts';
import type { Owner } from '../../resources/names.ts';
import { instanceBudget, poolerBudget } from '../../resources/budget.ts';
import { readDatabaseUri } from '../../api/v1alpha1/databaseUri.ts';
import { networkPolicies } from '../../resources/networkPolicy.ts';
import { deployment, podTemplate } from '../../resources/podTemplate.ts';
import { poolerCannotUse, poolerDeployment, poolerSecret, poolerService } from '../../resources/pooler.ts';
import { controllerRevision, type OperandImages, type RevisionSnapshot } from '../../resources/revision.ts';
import { revisionService, stableService } from '../../resources/service.ts';
import { serviceAccount } from '../../resources/serviceAccount.ts';
import { legacy, type Route } from '../../rollout/types.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { credentialMarks } from './credentials.ts';
import type { NewRevision } from './desired.ts';
import type { World } from './world.ts';

/** What every instance has, whatever it serves: identity, pooler, disruption budget, network policies. */
export function baseObjects(owner: Owner, spec: ApiInstanceSpec, world: World): KubeObject[] {
  const objects: KubeObject[] = [
    serviceAccount(owner),
    instanceBudget(owner),
    ...networkPolicies(owner, spec, world.callers),
  ];
  if (spec.pooler) {
    const { statement, request } = spec.expose.timeouts;
    const waits = { request, ...(statement === undefined ? {} : { statement }) };
    // Without a usable URI the Secret that is there stays as it is: what serves goes on serving.
    const uri = world.databaseUri.state === 'found' ? readDatabaseUri(world.databaseUri.value) : undefined;
    if (uri && !('error' in uri) && poolerCannotUse(uri) === undefined)
      objects.push(poolerSecret(owner, uri, spec.pooler, waits));
    if (world.poolerSecret) {
      // Its pods carry the Secret's version, so that they follow it.
      const version = String(world.poolerSecret.metadata.resourceVersion);
      objects.push(
        poolerService(owner),
        poolerDeployment(owner, spec.pooler, pinned(world), version, waits),
        poolerBudget(owner),
      );
    }
  }
  return objects;
}

/** The default images with that of a pooler that runs already: an operator upgrade rolls no operand. */
function pinned({ images, poolerImage }: World): OperandImages {
  return { ...images, pgbouncer: poolerImage ?? images.pgbouncer };
}

/**
 * The objects of one kept revision at a size; `replicas` undefined: no pods yet. Its snapshot and its gate's
 * configuration are written once.
 */
export function revisionObjects(
  owner: Owner,
  revision: RevisionSnapshot | NewRevision,
  replicas: number | undefined,
  world: World,
): KubeObject[] {
  const { number, content } = revision;
  const isNew = !('podTemplate' in revision);
  // The template is pinned when the revision is made: an operator upgrade renders nothing anew and rolls nothing.
  const template = isNew ? podTemplate(owner.name, number, content) : revision.podTemplate;
  return [
    ...(isNew ? [controllerRevision(owner, number, content, template)] : []),
    ...(world.gateConfigs.has(number) ? [] : [gateConfigMap(owner, number, content)]),
    revisionService(owner, number),
    ...(replicas === undefined
      ? []
      : [
          deployment(
            owner,
            number,
            template,
            replicas,
            restartAt(number, world),
            credentialMarks(revision, world),
          ),
        ]),
  ];
}

/** A restart that was asked for once stays in the template: without it the pods would roll back. */
function restartAt(number: number, { status, deployments }: World): string | undefined {
  const before = deployments.get(number)?.restartAt;
  return status.restart?.revision === number ? status.restart.at : before;
}

/** The way in for clients; nothing before there is a revision to answer them. */
export function trafficObjects(
  owner: Owner,
  spec: ApiInstanceSpec,
  route: Route,
  world: World,
): KubeObject[] {
  const { router, preview } = world;
  if (route.main === undefined || !router) return [];
  const main = route.main === legacy ? 'from' : 'stable';
  const value = preview?.state === 'found' ? preview.value : undefined;
  return [
    ...(route.stable === undefined ? [] : [stableService(owner, route.stable)]),
    ...router.objects(owner, spec, { main, canary: route.canary, preview: value }),
  ];
}
