import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import { createHttp, type Http } from '../../runtime/http.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { resourcePath } from '../../runtime/resourcePath.ts';
import { createTransport, type Transport } from '../../runtime/transport.ts';
import { connectTestApiServer, type TestApiServer } from '../../testing/apiServer.ts';
import { crdMappings, installCrds, readCrds } from '../../testing/crds.ts';
import { apiInstanceObject, apiSchemaObject } from '../../testing/randomObjects.ts';
import {
  fullApiInstance,
  fullApiSchema,
  minimalApiInstance,
  minimalApiSchema,
  withValue,
} from '../../testing/apiObjects.ts';
import type { SpecCase } from '../../testing/specCase.ts';
import { apiInstanceCases, apiSchemaCases } from '../../testing/specCases.ts';
import { zodRefusal } from '../../testing/zodRefusal.ts';
import { apiInstanceSpec } from './apiInstance.ts';
import { apiSchemaSpec } from './apiSchema.ts';

let server: TestApiServer;
let transport: Transport;
let http: Http;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await connectTestApiServer(crdMappings);
  await installCrds(server.client);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(process.env['PGRST_TEST_KUBECONFIG'] ?? '');
  transport = createTransport(kubeConfig);
  http = createHttp(transport, { clock: systemClock, timeoutMs: 30_000 });
});

afterAll(async () => {
  await transport.close();
  await server.close();
});

const pathOf = (object: KubeObject, name?: string, subresource?: string): string =>
  resourcePath(crdMappings, {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: server.namespace,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  });

/** What `kubectl create --validate=strict --dry-run=server` does: the object as it would be stored. */
async function dryRun(object: KubeObject): Promise<KubeObject> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const body = await http.json({ method: 'POST', path: pathOf(object), query, body: object, signal });
  return body as KubeObject;
}

/** The words in which the server refuses the object; undefined when it takes it. */
async function serverRefusal(object: KubeObject): Promise<string | undefined> {
  return await dryRun(object).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

test('the CRDs are served as they are shipped', async () => {
  for (const { apiVersion, kind, metadata } of readCrds()) {
    const crd = await server.client.get({ apiVersion, kind, name: metadata.name }, signal);
    const { conditions } = crd?.['status'] as { conditions: { type: string; status: string }[] };
    const states = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
    expect(states).toEqual({ NamesAccepted: 'True', Established: 'True' });
  }
});

const cases: readonly [string, readonly SpecCase[]][] = [
  ['ApiSchema', apiSchemaCases],
  ['ApiInstance', apiInstanceCases],
];
describe.each(cases)('the API server, asked for an %s with', (_kind, rows) => {
  test.each(rows.filter(({ refusal }) => refusal === undefined))(
    '$sentence, takes it',
    async ({ object }) => {
      expect(await serverRefusal(object)).toBeUndefined();
    },
  );

  test.each(rows.filter(({ refusal }) => refusal !== undefined))(
    '$sentence, refuses it and says why',
    async ({ object, refusal }) => {
      const words = Object.values<string>(refusal ?? {});
      expect((await serverRefusal(object)) ?? 'accepted').toContain(words[0]);
    },
  );
});

describe('zod and the API server', () => {
  test.each([
    ['a minimal ApiSchema', minimalApiSchema, apiSchemaSpec],
    ['a full ApiSchema', fullApiSchema, apiSchemaSpec],
    ['a minimal ApiInstance', minimalApiInstance, apiInstanceSpec],
    ['a full ApiInstance', fullApiInstance, apiInstanceSpec],
    ['an ApiInstance with a pooler', withValue(minimalApiInstance, 'spec.pooler', {}), apiInstanceSpec],
    [
      'an ApiInstance with an empty rollout',
      withValue(minimalApiInstance, 'spec.rollout', {}),
      apiInstanceSpec,
    ],
    [
      'an ApiInstance with an empty postgrest',
      withValue(minimalApiInstance, 'spec.postgrest', {}),
      apiInstanceSpec,
    ],
  ])('fill in the same defaults: %s', async (_what, object, schema) => {
    const stored = await dryRun(object);
    expect(stored['spec']).toEqual(schema.parse(object['spec']));
  });

  test.each([
    ['ApiSchema', apiSchemaObject],
    ['ApiInstance', apiInstanceObject],
  ])('refuse the same: any %s', async (_kind, objects) => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(objects, async (object) => {
        const [ours, theirs] = [zodRefusal(object), await serverRefusal(object)];
        if (ours !== undefined) refused += 1;
        expect({ refused: theirs !== undefined, theirs, ours }).toMatchObject({
          refused: ours !== undefined,
        });
      }),
      { numRuns: 500 },
    );
    // Otherwise the property says nothing: neither all may be refused nor all taken.
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(400);
  });
});

describe('a stored object', () => {
  const stored = async (object: KubeObject): Promise<KubeObject> =>
    await server.client.create(
      { ...object, metadata: { ...object.metadata, namespace: server.namespace } },
      signal,
    );
  const ref = (object: KubeObject) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: server.namespace,
    name: object.metadata.name,
  });
  const patched = async (object: KubeObject, body: unknown): Promise<unknown> =>
    await server.client.patch(ref(object), { type: 'merge', body }, signal);

  test('keeps its schema: it is immutable', async () => {
    const object = await stored(withValue(minimalApiSchema, 'metadata.name', 'immutable'));
    await expect(patched(object, { spec: { schema: 'other' } })).rejects.toThrow(
      'schema is immutable: the published releases carry it in their names; create another ApiSchema instead',
    );
    await patched(object, { spec: { schema: 'api', suspend: true } });
  });

  test('keeps its path: it is immutable', async () => {
    const object = await stored(withValue(minimalApiInstance, 'metadata.name', 'path'));
    await expect(patched(object, { spec: { expose: { path: '/v2' } } })).rejects.toThrow('path is immutable');
    await patched(object, { spec: { expose: { path: '/', host: 'other.example.test' } } });
  });

  test('has its status written apart from its spec, and the spec apart from its status', async () => {
    const object = await stored(withValue(minimalApiInstance, 'metadata.name', 'status'));
    const status = { stable: { revision: 1, release: '0123abcd', replicas: 2, ready: 2 } };
    const body = { status, spec: { replicas: 7 } };
    await server.client.patch(ref(object), { type: 'merge', body, subresource: 'status' }, signal);
    await patched(object, { status: { stable: { revision: 9 } }, spec: { suspend: true } });
    const now = await server.client.get(ref(object), signal);
    expect(now).toMatchObject({ status, spec: { replicas: 2, suspend: true } });
    expect(now?.metadata.generation).toBe(2);
  });

  test('scales through its scale subresource, within its bounds', async () => {
    const object = await stored(withValue(minimalApiInstance, 'metadata.name', 'scale'));
    const status = { replicas: 2, selector: 'pgrst.dev/instance=scale,pgrst.dev/revision=1' };
    await server.client.patch(
      ref(object),
      { type: 'merge', body: { status }, subresource: 'status' },
      signal,
    );
    const scaleTo = async (replicas: number): Promise<unknown> =>
      await server.client.patch(
        ref(object),
        { type: 'merge', body: { spec: { replicas } }, subresource: 'scale' },
        signal,
      );
    expect(await scaleTo(5)).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status });
    expect(await server.client.get(ref(object), signal)).toMatchObject({ spec: { replicas: 5 } });
    await expect(scaleTo(201)).rejects.toThrow('should be less than or equal to 200');
  });

  test('shows in kubectl get what matters', async () => {
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'StepPaused',
      message: 'Revision 2 holds 10 %.',
      lastTransitionTime: '2026-11-21T12:00:00Z',
    };
    const revision = { revision: 1, release: '0123abcd', replicas: 2, ready: 2 };
    const rows: [KubeObject, Record<string, unknown>, Record<string, unknown>][] = [
      [
        withValue(minimalApiInstance, 'metadata.name', 'columns'),
        {
          conditions: [condition],
          stable: revision,
          candidate: { ...revision, revision: 2 },
          traffic: { revision: 2, weight: 10 },
        },
        { Name: 'columns', Ready: 'False', Stable: 1, Candidate: 2, Weight: 10, Reason: 'StepPaused' },
      ],
      [
        withValue(minimalApiSchema, 'metadata.name', 'columns'),
        {
          conditions: [{ ...condition, reason: 'Applying' }],
          release: { id: '0123abcd', schema: 'api_0123abcd', builtAt: '2026-11-21T12:00:00Z' },
          migrations: { applied: 3, pending: 1, last: [] },
        },
        { Name: 'columns', Ready: 'False', Release: '0123abcd', Applied: 3, Pending: 1, Reason: 'Applying' },
      ],
    ];
    for (const [object, status, columns] of rows) {
      await stored(object);
      await server.client.patch(
        ref(object),
        { type: 'merge', body: { status }, subresource: 'status' },
        signal,
      );
      const table = (await http.json({
        method: 'GET',
        path: pathOf(object, object.metadata.name),
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
        signal,
      })) as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
      const names = table.columnDefinitions.map(({ name }) => name);
      expect(names).toEqual([...Object.keys(columns), 'Age']);
      const cells = Object.fromEntries(names.map((name, at) => [name, table.rows[0]?.cells[at]]));
      expect(cells).toMatchObject(columns);
    }
  });

  test('takes no status that is not ours: an unknown verb, a weight of 101, two conditions of one type', async () => {
    const object = await stored(withValue(minimalApiInstance, 'metadata.name', 'bad-status'));
    const write = async (status: unknown): Promise<unknown> =>
      await server.client.patch(
        ref(object),
        { type: 'merge', body: { status }, subresource: 'status' },
        signal,
      );
    const at = '2026-11-21T12:00:00Z';
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Proved',
      message: '',
      lastTransitionTime: at,
    };
    await expect(write({ traffic: { revision: 1, weight: 101 } })).rejects.toThrow('status.traffic.weight');
    await expect(
      write({ lastAction: { verb: 'dance', target: 0, id: '1', at, result: '' } }),
    ).rejects.toThrow('status.lastAction.verb');
    await expect(write({ conditions: [condition, condition] })).rejects.toThrow('Duplicate value');
  });
});
