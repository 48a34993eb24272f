import { expect, test } from 'vitest';
import { ready } from './support/conditions.ts';
import { runJourney, type Journey } from './support/journey.ts';

test('an HPA and kubectl scale change the stable pods alone, and evictions take one pod at a time', () =>
  runJourney(
    'scale',
    async (journey) => {
      const { instance, kubectl, namespace } = journey;
      expect(instance.current()?.status?.timeouts).toMatchObject({ request: '20s', ingress: '25s' });
      const policies = await kubectl(['get', 'networkpolicies', '-n', namespace, '-o', 'name']);
      expect(policies.trim().split('\n')).toEqual([
        expect.stringMatching(/\/tasks-[0-9a-f]{5}-api$/),
        expect.stringMatching(/\/tasks-[0-9a-f]{5}-pooler$/),
      ]);

      await journey.applySchema('v2');
      await instance.until('half of the traffic is proved to be on revision 2, and held', ({ status }) => {
        return status?.traffic?.provedWeight === 50 && status.pausedSince !== undefined;
      });

      // Below its minimum an HPA needs no metrics.
      await kubectl(['apply', '-f', '-'], JSON.stringify(autoscaler(namespace)));
      await instance.until('stable and the candidate have three ready pods each', ({ status }) => {
        return status?.stable?.ready === 3 && status.candidate?.ready === 3;
      });
      expect(instance.current()?.status).toMatchObject({ stable: { revision: 1 }, traffic: { weight: 50 } });
      expect(await podsOf(journey, '')).toHaveLength(6);
      const scale = await scaleOf(journey);
      expect(scale).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
      const counted = await podsOf(journey, scale.status.selector);
      expect(await podsOf(journey, 'example.test/team=tasks')).toHaveLength(6);
      expect(counted).toHaveLength(3);
      expect(counted).toEqual(await podsOf(journey, 'pgrst.dev/revision=1'));
      const hpa = ['-n', namespace, 'hpa/tasks', '--timeout=60s'];
      await kubectl(['wait', '--for=jsonpath={.status.currentReplicas}=3', ...hpa]);

      const [first = '', second = ''] = [
        ...counted,
        ...(await podsOf(journey, 'pgrst.dev/revision=2')),
      ].filter((_, at) => at === 0 || at === 3);
      await kubectl(['wait', '-n', namespace, '--for=jsonpath={.status.disruptionsAllowed}=1', 'pdb/tasks']);
      expect(await evict(journey, first)).toMatchObject({ code: 0 });
      // Of the other revision, which serves just as well.
      expect((await evict(journey, second)).stderr).toContain('disruption budget');
      await kubectl([
        'wait',
        '-n',
        namespace,
        '--for=jsonpath={.status.disruptionsAllowed}=1',
        'pdb/tasks',
        '--timeout=120s',
      ]);
      expect(await evict(journey, second)).toMatchObject({ code: 0 });

      await journey.action('promote');
      await instance.until('revision 2 is stable and Ready', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
      expect((await scaleOf(journey)).status.selector).toContain('pgrst.dev/revision=2');

      await kubectl(['delete', '-n', namespace, 'hpa/tasks']);
      await kubectl(['scale', '-n', namespace, 'apiinstance/tasks', '--replicas=2']);
      await instance.until('two pods of revision 2 serve, and it is Ready', (object) => {
        return object.status?.replicas === 2 && object.status.stable?.ready === 2 && ready(object);
      });
      expect(await journey.answering(100)).toEqual(['2']);
    },
    (spec) => ({
      ...spec,
      postgrest: { ...spec.postgrest, podTemplate },
      expose: { ...spec.expose, timeouts: { request: '20s' } },
      networkPolicy: {},
      rollout: { ...spec.rollout, steps: [{ weight: 50 }, { pause: {} }, { weight: 100 }] },
    }),
  ));

/** It asks for what every node has, so that the pods find one. */
const podTemplate = {
  labels: { 'example.test/team': 'tasks' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'example.test/spot', operator: 'Exists' }],
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
  ],
};

function autoscaler(namespace: string): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'tasks', namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiInstance', name: 'tasks' },
      minReplicas: 3,
      maxReplicas: 4,
    },
  };
}

interface Scale {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas: number; readonly selector: string };
}

async function scaleOf({ kubectl, namespace }: Journey): Promise<Scale> {
  const path = `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/apiinstances/tasks/scale`;
  return JSON.parse(await kubectl(['get', '--raw', path])) as Scale;
}

/** Names of the PostgREST pods that a selector finds and that are not being deleted, sorted. */
async function podsOf({ kubectl, namespace }: Journey, selector: string): Promise<readonly string[]> {
  const labels = ['app.kubernetes.io/component=api', ...(selector === '' ? [] : [selector])].join(',');
  const { items } = JSON.parse(
    await kubectl(['get', 'pods', '-n', namespace, '-l', labels, '-o', 'json']),
  ) as {
    items: readonly { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
    .sort();
}

async function evict(
  { kubectl, namespace }: Journey,
  pod: string,
): ReturnType<Journey['kubectl']['attempt']> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } };
  return await kubectl.attempt(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
}
