import type { ApiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';
import { names, revisionOf, revisionSelector } from '../resources/names.ts';
import type { KubeObject, ObjectRef } from '../runtime/object.ts';
import { createInstanceHarness, type InstanceHarness, type Turn } from './instanceHarness.ts';
import type { Command, Move, TrafficObject } from './rolloutCommands.ts';

const namespace = 'shop';
const name = 'todo';
const known = names(name);
const schemaRef = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiSchema', namespace, name };
const instanceRef = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiInstance', namespace, name };
const traffic: Record<TrafficObject, ObjectRef> = {
  main: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name: known.ingress },
  canary: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name: known.canaryIngress },
  stable: { apiVersion: 'v1', kind: 'Service', namespace, name: known.stableService },
};
const unlimited = 8;
/** Stands for a revision that nothing has. */
const nobody = -1;

/** How many lists are tried, from which seed; more of them by hand: `PGRST_MODEL_RUNS=2000 PGRST_MODEL_SEED=7`. */
export const effort = {
  numRuns: Number(process.env['PGRST_MODEL_RUNS'] ?? '60'),
  seed: Number(process.env['PGRST_MODEL_SEED'] ?? '5'),
};

/** What came of a list of moves. */
export interface Played {
  readonly harness: InstanceHarness;
  /** What no list of moves may bring about; empty: nothing was wrong. */
  readonly violations: readonly string[];
}

/** Plays the moves from an instance that was just made, then lets time pass until nothing is written any more. */
export async function play(moves: readonly Move[], isFrom: boolean): Promise<Played> {
  const from = { service: { name: 'old-api', port: 8000 } };
  const h = createInstanceHarness(
    [],
    isFrom ? { rollout: { from, steps: [{ weight: 10 }, { pause: {} }] } } : {},
  );
  const model = createModel(h);
  for (const { command, turns } of moves) {
    model.carryOut(command);
    for (let turn = 0; turn < turns; turn += 1) await model.turn();
    if (h.violations().length > 0) return { harness: h, violations: h.violations() };
  }
  h.script.unreachable = undefined;
  h.script.podDelayMs = 0;
  h.restart();
  const ending = await model.comeToRest();
  return { harness: h, violations: [...h.violations(), ...ending] };
}

function createModel(h: InstanceHarness) {
  let release = 1;
  /** Where an abort or a rollback must end; undefined: nobody has said so, or something has happened since. */
  let goal: { readonly revision: number; readonly verb: string } | undefined;
  let lastAction: string | undefined;
  let suspended = false;
  let passing = 0;

  const revisions = (): readonly number[] =>
    h.kube
      .all('ControllerRevision')
      .flatMap(({ metadata }) => revisionOf(metadata.labels) ?? [])
      .sort((a, b) => b - a);
  const nth = (back: number): number | undefined => revisions()[back];
  const edit = (ref: ObjectRef, change: (object: KubeObject) => KubeObject): void => {
    const object = h.kube.read(ref);
    if (object) h.kube.put(change(object));
  };

  function carryOut(command: Command): void {
    switch (command.does) {
      case 'publish':
        release += 1;
        goal = undefined;
        h.publish(String(release).padStart(8, '0'));
        return;
      case 'editSpec':
        goal = undefined;
        h.edit({ spec: command.spec });
        return;
      case 'editRollout':
        h.editRollout(command.rollout);
        return;
      case 'action':
        h.edit({ annotations: { 'pgrst.dev/action': command.verb } });
        return;
      case 'rollback':
        h.edit({ annotations: { 'pgrst.dev/action': `rollback=${nth(command.back) ?? 99}` } });
        return;
      case 'deleteObject':
        h.kube.remove(traffic[command.what]);
        break;
      case 'deleteOf': {
        const revision = nth(command.back);
        if (revision === undefined) return;
        if (command.kind === 'ControllerRevision') goal = undefined;
        const apiVersion = command.kind === 'Service' ? 'v1' : 'apps/v1';
        h.kube.remove({ apiVersion, kind: command.kind, namespace, name: known.revision(revision) });
        break;
      }
      case 'editCanary': {
        const revision = command.back === undefined ? undefined : nth(command.back);
        edit(traffic.canary, (object) => withCanary(object, command.weight, revision));
        break;
      }
      case 'editStable': {
        const revision = nth(command.back);
        if (revision === undefined) return;
        const selector = revisionSelector(name, revision);
        edit(traffic.stable, (object) => ({ ...object, spec: { ...(object['spec'] as object), selector } }));
        break;
      }
      case 'crash':
        h.cluster.crashing.add(nth(command.back) ?? nobody);
        break;
      case 'heal':
        h.cluster.crashing.delete(nth(command.back) ?? 0);
        return;
      case 'restartPods':
        h.cluster.restartPods(nth(command.back) ?? 0);
        return;
      case 'evict':
        h.cluster.evict(nth(command.back) ?? 0);
        break;
      case 'die':
        h.restart(command.after);
        return;
      case 'pass':
        passing = command.ms;
        return;
      case 'lag':
        h.cluster.dataPlane.lag(command.lags);
        return;
      case 'reach':
        h.script.unreachable = command.error;
        return;
      case 'podDelay':
        h.script.podDelayMs = command.ms;
        return;
      case 'probe':
        setOrDelete(h.script.probes, nth(command.back), command.failure);
        return;
      case 'contract': {
        const losses = {
          nothing: undefined,
          something: { total: 1, changes: ['GET /todos is gone'] },
          unknown: { unknown: 'there is no document' },
        };
        setOrDelete(h.script.contracts, nth(command.back), losses[command.loses]);
        return;
      }
      case 'judge':
        h.script.analysis = () => command.verdict;
        return;
      case 'contract-release':
        goal = undefined;
        endOldest();
        return;
      case 'suspend':
        suspended = command.on;
        h.edit({ spec: { suspend: command.on } });
        return;
    }
    h.cluster.excuse();
  }

  /** A contraction ends the oldest release, as long as nobody needs it. */
  function endOldest(): void {
    const status = h.kube.read(schemaRef)?.['status'] as
      { releases?: { id: string; ending?: boolean }[] } | undefined;
    const { stable, candidate } = h.instance().status ?? {};
    const used = new Set([stable, candidate].map((each) => each?.release));
    const oldest = status?.releases?.findLast(({ id, ending }) => ending !== true && !used.has(id));
    if (!oldest || oldest.id === status?.releases?.[0]?.id) return;
    const releases = status?.releases?.map((each) =>
      each.id === oldest.id ? { ...each, ending: true } : each,
    );
    h.kube.putStatus(schemaRef, { ...status, releases });
  }

  async function turn(): Promise<Turn> {
    await h.clock.advance(passing);
    passing = 0;
    const result = await h.turn();
    const action = (h.kube.read(instanceRef)?.['status'] as ApiInstanceStatus | undefined)?.lastAction;
    if (action && action.id !== lastAction) {
      lastAction = action.id;
      const isBack = action.verb === 'abort' || action.verb === 'rollback';
      if (isBack && action.result.includes('is rejected'))
        goal = { revision: action.target, verb: action.verb };
      if (action.verb === 'retry') goal = undefined;
    }
    return result;
  }

  /** Returns what is wrong with how it ended. */
  async function comeToRest(): Promise<string[]> {
    for (let round = 0; round < unlimited; round += 1) {
      const before = h.writes();
      let last = await turn();
      for (let quiet = 0; quiet < 8;) {
        const writes = h.writes();
        await h.clock.advance(1000);
        last = await turn();
        quiet = h.writes() === writes ? quiet + 1 : 0;
        if (h.writes() > before + 1000) return ['it writes without end'];
      }
      if (h.writes() === before && round > 0) return judge(last);
      await h.clock.advance(20 * 60_000);
    }
    return ['it does not come to rest'];
  }

  function judge({ outcome }: Turn): string[] {
    const { status = {} } = h.instance();
    const of = (type: string) => status.conditions?.find((each) => each.type === type);
    const ready = of('Ready');
    const where = `${outcome?.kind ?? 'gone'}, Ready ${ready?.status ?? '?'} ${ready?.reason ?? '?'}: ${ready?.message ?? ''}`;
    const wrong: string[] = [];
    const isTold =
      ready?.status === 'True' ||
      (h.cluster.crashing.size > 0 && lacksPods.has(ready?.reason ?? '')) ||
      waits.has(ready?.reason ?? '') ||
      of('Degraded')?.status === 'True';
    if (!isTold) wrong.push(`nobody is told why it rests: ${where}`);
    if (suspended) return wrong;
    const share = h.cluster.route().canary;
    if (share && share.weight > 0 && h.cluster.readyPods(share.revision).length === 0)
      wrong.push(`r${share.revision} keeps ${share.weight} % without a ready pod: ${where}`);
    if (goal && !h.cluster.crashing.has(goal.revision) && goal.revision !== (status.stable?.revision ?? 0)) {
      wrong.push(`${goal.verb} to r${goal.revision} ended at r${status.stable?.revision ?? 0}: ${where}`);
    }
    if (outcome?.kind === 'settled') {
      const { main, selected, canary } = h.cluster.route();
      const serving = main === 'from' ? 0 : selected;
      if (serving !== (status.stable?.revision ?? 0) || (canary?.weight ?? 0) > 0)
        wrong.push(`settled, and the route is ${JSON.stringify({ main, selected, canary })}: ${where}`);
    }
    if (outcome?.kind === 'settled') {
      const idle = h.kube
        .all('Deployment')
        .filter((object) => ((object['spec'] as { replicas?: number }).replicas ?? 1) > 0)
        .flatMap(({ metadata }) => revisionOf(metadata.labels) ?? [])
        .filter((revision) => revision !== h.cluster.route().selected);
      if (idle.length > 0) wrong.push(`settled, and r${idle.join(', r')} still has pods: ${where}`);
    }
    return wrong;
  }

  return { carryOut, turn, comeToRest };
}

/** Reasons of an instance that is not Ready and waits for a person, with what to do in the message. */
const waits: ReadonlySet<string> = new Set([
  ...[
    'StepPaused',
    'ManuallyPaused',
    'TooFewRequests',
    'AnalysisInconclusive',
    'BreakingChange',
    'ContractUnknown',
  ],
  ...['Aborted', 'RolledBack', 'AnalysisFailed', 'ProgressDeadlineExceeded', 'Suspended', 'ReleaseNotFound'],
]);

/** Reasons while pods do not become ready, with how many there are. */
const lacksPods: ReadonlySet<string> = new Set(['ScalingUp', 'DatabaseUnreachable']);

function withCanary(object: KubeObject, weight: number, revision: number | undefined): KubeObject {
  const annotations = {
    ...object.metadata.annotations,
    'nginx.ingress.kubernetes.io/canary-weight': String(weight),
  };
  const text = JSON.stringify(object['spec']);
  const spec: unknown =
    revision === undefined
      ? object['spec']
      : JSON.parse(text.replace(/todo-r[0-9]+-[0-9a-f]{5}/g, known.revision(revision)));
  return { ...object, metadata: { ...object.metadata, annotations }, spec };
}

function setOrDelete<V>(map: Map<number, V>, revision: number | undefined, value: V | undefined): void {
  if (revision === undefined) return;
  if (value === undefined) map.delete(revision);
  else map.set(revision, value);
}
