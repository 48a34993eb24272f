import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { gateConfigMap } from '../../resources/gate.ts';
import type { Owner } from '../../resources/names.ts';
import { instanceBudget } from '../../resources/budget.ts';
import { networkPolicies } from '../../resources/networkPolicy.ts';
import { deployment, podTemplate } from '../../resources/podTemplate.ts';
import { controllerRevision, type PodTemplate, type RevisionSnapshot } from '../../resources/revision.ts';
import { revisionService, stableService } from '../../resources/service.ts';
import { serviceAccount } from '../../resources/serviceAccount.ts';
import { legacy, type Route } from '../../rollout/types.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { credentialMarks } from './credentials.ts';
import type { NewRevision } from './desired.ts';
import { settingsObjects } from './reload.ts';
import { isWorn, routeOfWorkloads } from './workloads.ts';
import type { World } from './world.ts';

/** What every instance has, whatever it serves: identity, disruption budget, network policies. */
export function baseObjects(owner: Owner, spec: ApiInstanceSpec, world: World): KubeObject[] {
  return [serviceAccount(owner), instanceBudget(owner), ...networkPolicies(owner, spec, world.callers)];
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
  const { number, content, workload = number } = revision;
  const template = templateOf(owner, revision);
  const snapshot = snapshotObjects(owner, revision);
  // Its workload has another revision's settings: these are the other one's pods.
  if (!isWorn(world, revision)) return snapshot;
  return [
    ...snapshot,
    ...(world.gateConfigs.has(workload) ? [] : [gateConfigMap(owner, workload, content)]),
    ...settingsObjects(owner, revision, world),
    revisionService(owner, workload),
    ...(replicas === undefined
      ? []
      : [
          deployment(
            owner,
            workload,
            template,
            replicas,
            restartAt(number, world),
            credentialMarks(revision, world),
          ),
        ]),
  ];
}

/**
 * What the workload of a revision has anew so that it becomes this revision's: its snapshot where there is none yet, and
 * the settings.
 */
export function takeOverObjects(
  owner: Owner,
  revision: RevisionSnapshot | NewRevision,
  world: World,
): KubeObject[] {
  return [...snapshotObjects(owner, revision), ...settingsObjects(owner, revision, world)];
}

/** What keeps a revision, where nothing does yet. */
function snapshotObjects(owner: Owner, revision: RevisionSnapshot | NewRevision): KubeObject[] {
  if ('podTemplate' in revision) return [];
  const { number, content, workload } = revision;
  return [controllerRevision(owner, number, content, templateOf(owner, revision), workload)];
}

/** The template is pinned when the revision is made: an operator upgrade renders nothing anew and rolls nothing. */
function templateOf(owner: Owner, revision: RevisionSnapshot | NewRevision): PodTemplate {
  if ('podTemplate' in revision) return revision.podTemplate;
  return revision.host?.podTemplate ?? podTemplate(owner.name, revision.number, revision.content);
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
  const { stable, canary } = routeOfWorkloads(route, world);
  const value = preview?.state === 'found' ? preview.value : undefined;
  return [
    ...(stable === undefined ? [] : [stableService(owner, stable)]),
    ...router.objects(owner, spec, { main, canary, preview: value }),
  ];
}
