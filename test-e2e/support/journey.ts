import { randomBytes } from 'node:crypto';
import { expect, inject, type ProvidedContext } from 'vitest';
import type { ApiInstanceStatus, Verb } from '../../operator/api/v1alpha1/apiInstanceStatus.ts';
import type { ApiSchemaStatus } from '../../operator/api/v1alpha1/apiSchemaStatus.ts';
import { createKubectl, type Kubectl } from '../../hack/kube/kubectl.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import { startLoad, type Load, type LoadRequest } from '../../hack/load/load.ts';
import { countByRevision, failed, summarise, within, type Sample } from '../../hack/load/sample.ts';
import { ask } from './ask.ts';
import './context.ts';
import { printDiagnostics } from './diagnostics.ts';
import { guardEndpoints, type EndpointGuard } from './endpoints.ts';
import {
  asList,
  databaseManifests,
  instanceManifest,
  schemaManifest,
  type Manifest,
  type SchemaVersion,
  type WrittenInstance,
  type WrittenSchema,
} from './manifests.ts';
import { observe, type Observed } from './observed.ts';

/** An ApiInstance as the watch sees it. */
export interface InstanceObject extends WatchedObject {
  readonly status?: ApiInstanceStatus;
}
/** An ApiSchema as the watch sees it. */
export interface SchemaObject extends WatchedObject {
  readonly status?: ApiSchemaStatus;
}

/** The example under a namespace and a host of its own, Ready, with steady traffic on it. */
export interface Journey {
  readonly namespace: string;
  readonly host: string;
  readonly kubectl: Kubectl;
  readonly instance: Observed<InstanceObject>;
  readonly schema: Observed<SchemaObject>;
  readonly canary: Observed<WatchedObject>;
  /** Every response since the load began: at the first Ready, or before the ApiInstance where somebody else serves. */
  readonly samples: readonly Sample[];
  /** `kubectl apply` of the ApiSchema in a version, possibly edited; gives its generation after that. */
  applySchema(version: SchemaVersion, edit?: (spec: WrittenSchema) => WrittenSchema): Promise<number>;
  /** `kubectl apply` of the ApiInstance, possibly edited; gives its generation after that. */
  applyInstance(edit?: (spec: WrittenInstance) => WrittenInstance): Promise<number>;
  /** `kubectl annotate apiinstance/tasks pgrst.dev/action=<verb>`. */
  action(verb: Verb): Promise<void>;
  /** Runs SQL as superuser in the example's database; gives rows as psql prints them, unaligned. */
  sql(text: string): Promise<string>;
  /** Which revisions the next `count` responses come from, sorted; `none` among them stands for something else. */
  answering(count: number): Promise<readonly string[]>;
  /** From now on the failed requests of which this holds are what the journey is about, and do not fail it. */
  excuse(isExcused: (sample: Sample) => boolean): void;
  /** Ends the measured part before the journey does, with the assertions of its end. A second call changes nothing. */
  stopTraffic(): Promise<void>;
}

const requestsPerSecond = 120;
/** Longer than any journey; a load that reaches it fails its journey. */
const maxSeconds = 900;
const instanceName = 'tasks';

/** What most journeys do without. */
export interface JourneyOptions {
  /** Where the traffic goes in; ingress-nginx where it is left out. */
  readonly url?: string;
  /** What clients ask for, in turn; the example's own paths where it is left out. */
  readonly requests?: readonly LoadRequest[];
  /** Edits the ApiSchema that the journey begins with. */
  readonly schema?: (spec: WrittenSchema) => WrittenSchema;
  /** More objects, applied with the example. */
  beside?(namespace: string, host: string): readonly Manifest[];
  /**
   * The Deployment among them that serves clients already. Then there is no ApiInstance: the load begins when the first
   * of the requests is answered, and the journey applies it.
   */
  readonly servedBy?: string;
}

/** What clients of the example ask for. */
export const exampleRequests: readonly LoadRequest[] = [
  { method: 'GET', path: '/tasks?order=id.desc&limit=10' },
  { method: 'GET', path: '/open_tasks?limit=5' },
  { method: 'GET', path: '/tasks?select=id,title&order=id.desc&limit=1' },
  { method: 'POST', path: '/rpc/add_task', body: '{"title":"from the load client"}' },
];

/**
 * One journey: applies the example under a fresh namespace and host, waits for the first Ready as a user would, starts
 * the traffic, lets `travel` do its steps, stops the traffic, asserts what holds in every journey (0 failed requests,
 * never without a ready endpoint), and deletes everything. When something fails, it prints why before it deletes.
 */
export async function runJourney(
  name: string,
  travel: (journey: Journey) => Promise<void>,
  edit: (spec: WrittenInstance) => WrittenInstance = (spec) => spec,
  options: JourneyOptions = {},
): Promise<void> {
  const cluster = inject('cluster');
  const kubectl = createKubectl(cluster);
  const namespace = `e2e-${name}-${randomBytes(2).toString('hex')}`;
  const cleanUps: (() => unknown)[] = [];
  try {
    const journey = await start(cluster, kubectl, namespace, edit, options, cleanUps);
    await travel(journey);
    await journey.stopTraffic();
  } catch (error) {
    await printDiagnostics(kubectl, namespace);
    throw error;
  } finally {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
    const objects = ['apiinstance,apischema', '--all', '-n', namespace];
    await kubectl.attempt(['delete', ...objects, '--wait', '--timeout=60s']);
    await kubectl.attempt(['delete', 'namespace', namespace, '--wait=false']);
  }
}

async function start(
  cluster: ProvidedContext['cluster'],
  kubectl: Kubectl,
  namespace: string,
  edit: (spec: WrittenInstance) => WrittenInstance,
  {
    url = cluster.ingressUrl,
    requests = exampleRequests,
    schema: editFirst,
    beside,
    servedBy,
  }: JourneyOptions,
  cleanUps: (() => unknown)[],
): Promise<Journey> {
  const host = `${namespace}.example.test`;
  await kubectl(
    ['apply', '-f', '-'],
    asList([
      ...databaseManifests(namespace),
      schemaManifest(namespace, 'v1', editFirst),
      ...(beside?.(namespace, host) ?? []),
      ...(servedBy === undefined ? [instanceManifest(namespace, host, edit)] : []),
    ]),
  );
  const custom = (plural: string) => `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/${plural}`;
  const [instance, schema, canary, guard] = await Promise.all([
    observe<InstanceObject>(cluster.kubeconfig, { path: custom('apiinstances'), name: instanceName }),
    observe<SchemaObject>(cluster.kubeconfig, { path: custom('apischemas'), name: instanceName }),
    observe(cluster.kubeconfig, {
      path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
      name: `${instanceName}-canary`,
    }),
    guardEndpoints(cluster.kubeconfig, namespace, instanceName),
  ]);
  cleanUps.push(() => {
    for (const watch of [instance, schema, canary, guard]) watch.stop();
  });
  const wait = (resource: string, condition: string) =>
    kubectl(['wait', '-n', namespace, `--for=condition=${condition}`, resource, '--timeout=120s']);
  await wait(`apischema/${instanceName}`, 'Ready');
  if (servedBy === undefined) {
    await wait(`apiinstance/${instanceName}`, 'Ready');
  } else {
    await wait(`deployment/${servedBy}`, 'Available');
    await answers(url, host, requests[0]?.path ?? '/');
  }
  const load = startLoad({
    url,
    host,
    requests,
    ratePerSecond: requestsPerSecond,
    maxSeconds,
  });
  let stopped: Promise<void> | undefined;
  const excuses: ((sample: Sample) => boolean)[] = [];
  const stop = () => (stopped ??= stopTraffic(load, guard, excuses));
  // A journey that failed half-way still has to stop; its own error is the one to report.
  cleanUps.push(() => stop().catch(() => undefined));

  const generationOf = async (resource: string): Promise<number> =>
    Number(await kubectl(['get', '-n', namespace, resource, '-o', 'jsonpath={.metadata.generation}']));
  const apply = (manifest: Parameters<typeof asList>[0][number]) =>
    kubectl(['apply', '-f', '-'], asList([manifest]));

  return {
    namespace,
    host,
    kubectl,
    instance,
    schema,
    canary,
    samples: load.samples,
    async applySchema(version, editSchema) {
      await apply(schemaManifest(namespace, version, editSchema));
      return generationOf(`apischema/${instanceName}`);
    },
    async applyInstance(editInstance = (spec) => spec) {
      await apply(instanceManifest(namespace, host, (spec) => editInstance(edit(spec))));
      return generationOf(`apiinstance/${instanceName}`);
    },
    async action(verb) {
      const resource = `apiinstance/${instanceName}`;
      await kubectl(['annotate', '-n', namespace, resource, `pgrst.dev/action=${verb}`, '--overwrite']);
    },
    async sql(text) {
      const psql =
        'PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U postgres -d tasks -XAtq -v ON_ERROR_STOP=1';
      const inPod = ['exec', '-i', '-n', namespace, 'deploy/tasks-db', '--', 'sh', '-c', psql];
      const result = await kubectl(inPod, text);
      return result.trim();
    },
    excuse: (isExcused) => {
      excuses.push(isExcused);
    },
    answering: async (count) => Object.keys(countByRevision(await more(load, count))).sort(),
    stopTraffic: stop,
  };
}

/** Waits until requests that became due from now on have been answered `count` times. */
async function more(load: Load, count: number): Promise<readonly Sample[]> {
  const from = Date.now();
  for (;;) {
    const fresh = within(load.samples, from);
    if (fresh.length >= count) return fresh;
    // The rate is fixed, so this is how long the missing ones take to become due.
    await new Promise((resolve) => setTimeout(resolve, ((count - fresh.length) * 1000) / requestsPerSecond));
  }
}

/** Waits until a path is answered with 200: the ingress has learnt of who serves it. */
async function answers(url: string, host: string, path: string): Promise<void> {
  const status = async () => (await ask(url, host, path)).status;
  await expect.poll(status, { timeout: 30_000, interval: 200 }).toBe(200);
}

async function stopTraffic(
  load: Load,
  guard: EndpointGuard,
  excuses: readonly ((sample: Sample) => boolean)[],
): Promise<void> {
  const all = await load.stop();
  const samples = all.filter((sample) => !(failed(sample) && excuses.some((isExcused) => isExcused(sample))));
  const summary = summarise(samples);
  const excused = all.length - samples.length;
  console.info(
    `${String(all.length)} requests, ${String(summary.failed)} failed, ${String(excused)} excused, p95 ${summary.p95.toFixed(0)} ms, ` +
      `max ${summary.max.toFixed(0)} ms, by revision ${JSON.stringify(summary.byRevision)}`,
  );
  const kinds = { keepAlive: summary.keepAlive > 0, ownConnection: summary.ownConnection > 0 };
  expect(kinds, 'both kinds of connection were used').toEqual({ keepAlive: true, ownConnection: true });
  expect(
    {
      failed: summary.failed,
      byFailure: summary.byFailure,
      when: samples.filter(failed).slice(0, 5),
      withoutReadyEndpoint: guard.losses,
    },
    `of ${String(summary.requests)} requests, slowest ${String(summary.max)} ms`,
  ).toEqual({ failed: 0, byFailure: {}, when: [], withoutReadyEndpoint: [] });
  expect(guard.everReady(), 'the stable Service had ready endpoints').toBe(true);
}
