import { describe, expect, test } from 'vitest';
import { instanceContent, instanceSpec, owner } from '../testing/resourceCases.ts';
import { names } from './names.ts';
import { networkPolicies } from './networkPolicy.ts';
import { podTemplate } from './podTemplate.ts';

const from = {
  ingress: { namespace: 'ingress-nginx' },
  gateway: { namespace: 'traefik' },
  operator: { namespace: 'pgrst-system' },
};
const place = (namespace: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
});
const web = { namespaceSelector: { matchLabels: { team: 'web' } } };

interface Policy {
  readonly podSelector: { readonly matchLabels: Record<string, string> };
  readonly policyTypes: readonly string[];
  readonly ingress: readonly {
    readonly from: readonly unknown[];
    readonly ports: readonly { port: number }[];
  }[];
}

function policies(
  more: Record<string, unknown>,
  callers: Parameters<typeof networkPolicies>[2] = from,
): Policy[] {
  return networkPolicies(owner, instanceSpec(more), callers).map((object) => object['spec'] as Policy);
}

/** Who may come to a port, by the first policy. */
function mayReach(port: number, [policy]: readonly Policy[]): unknown[] {
  return (policy?.ingress ?? [])
    .filter(({ ports }) => ports.some((one) => one.port === port))
    .flatMap((one) => one.from);
}

test('there are none where the spec asks for none', () => {
  expect(policies({ pooler: {} })).toEqual([]);
});

describe('the pods of the API', () => {
  const made = policies({ networkPolicy: { allowFrom: [web] } });

  test('serve clients of the ingress controller, the operator and whom the spec names', () => {
    expect(mayReach(8080, made)).toEqual([place('ingress-nginx'), place('pgrst-system'), web]);
  });

  test('show metrics and readiness to the operator and whom the spec names, not to the ingress controller', () => {
    expect(mayReach(9090, made)).toEqual([place('pgrst-system'), web]);
  });

  test('are all of them, of whatever revision, and may connect to whom they like', () => {
    const { labels } = podTemplate(owner.name, 7, instanceContent())['metadata'] as { labels: object };
    expect(labels).toMatchObject(made[0]?.podSelector.matchLabels ?? { none: '' });
    expect(made[0]?.policyTypes).toEqual(['Ingress']);
  });

  const gateway = { host: 'todo.example.com', router: 'GatewayAPI', parentRefs: [{ name: 'web' }] };

  test('serve the Gateway instead, where it routes', () => {
    const spec = { networkPolicy: {}, expose: gateway };
    expect(mayReach(8080, policies(spec))).toEqual([place('traefik'), place('pgrst-system')]);
  });

  test('serve no ingress where nobody has said where the Gateway runs', () => {
    const spec = { networkPolicy: {}, expose: gateway };
    expect(mayReach(8080, policies(spec, { ...from, gateway: undefined }))).toEqual([place('pgrst-system')]);
  });
});

test('the pooler serves the pods of its own instance and the operator, which uses its console; whoever is named reads its metrics', () => {
  const made = policies({ networkPolicy: { allowFrom: [web] }, pooler: {} });
  expect(made).toHaveLength(2);
  expect(made[1]?.ingress).toEqual([
    {
      from: [
        {
          podSelector: {
            matchLabels: { 'pgrst.dev/instance': 'todo', 'app.kubernetes.io/component': 'api' },
          },
        },
        place('pgrst-system'),
      ],
      ports: [{ port: 6432, protocol: 'TCP' }],
    },
    { from: [place('pgrst-system'), web], ports: [{ port: 9127, protocol: 'TCP' }] },
  ]);
});

test('the policies of one instance have never the name of those of another', () => {
  const of = (instance: string) =>
    (['api', 'pooler'] as const).map((part) => names(instance).networkPolicy(part));
  const all = ['todo', 'todo-api', 'todo-pooler', ...of('todo')].flatMap(of);
  expect(new Set(all).size).toBe(all.length);
  for (const name of of('x'.repeat(40))) expect(name.length).toBeLessThanOrEqual(63);
});
