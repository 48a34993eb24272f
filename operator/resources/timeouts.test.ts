import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs } from '../api/v1alpha1/shared.ts';
import { instanceContent, instanceSpec } from '../testing/resourceCases.ts';
import { podTemplate } from './podTemplate.ts';
import { defaultRequestTimeout, timeoutProblem, timeoutsOf } from './timeouts.ts';

const host = 'todo.example.com';

test('the default of the API is the one that is left out of revisions', () => {
  expect(instanceSpec().expose.timeouts).toEqual({ request: defaultRequestTimeout });
});

describe('the chain of waits', () => {
  test('of an instance that says nothing of them', () => {
    expect(timeoutsOf(instanceContent())).toEqual({
      pool: '10s',
      request: '55s',
      ingress: '60s',
      preStop: '6s',
      drain: '55s',
      gracePeriod: '71s',
    });
  });

  test('of one that says both, rounded up to what the kubelet and the ingress can be told', () => {
    const timeouts = { statement: '1500ms', request: '7500ms' };
    expect(timeoutsOf(instanceContent({ expose: { host, timeouts } }))).toEqual({
      statement: '1500ms',
      pool: '7s',
      request: '7500ms',
      ingress: '13s',
      preStop: '6s',
      drain: '8s',
      gracePeriod: '24s',
    });
  });

  test.each([
    ['20', undefined, '20s'],
    ['20', {}, '20s'],
    ['3', undefined, '3s'],
    ['3', {}, '10s'],
  ])(
    'with db-pool-acquisition-timeout %s and the pooler %j waits %s for a connection',
    (wait, pooler, pool) => {
      const postgrest = { config: { 'db-pool-acquisition-timeout': wait } };
      expect(timeoutsOf(instanceContent({ postgrest, ...(pooler ? { pooler } : {}) })).pool).toBe(pool);
    },
  );

  test('of a revision whose parameter is no number, as PostgREST reads it', () => {
    const content = instanceContent();
    const config = { 'db-pool-acquisition-timeout': 'soon' };
    expect(timeoutsOf({ ...content, postgrest: { ...content.postgrest, config } }).pool).toBe('10s');
  });

  test('is in order for every request that the API takes, and the pods have the grace period that it says', () => {
    const requests = fc
      .integer({ min: 2000, max: 3_600_000 })
      .map((ms) => `${Math.floor(ms / 1000)}s${ms % 1000}ms`);
    fc.assert(
      fc.property(requests, fc.boolean(), (request, isPooled) => {
        const spec = { expose: { host, timeouts: { request } }, ...(isPooled ? { pooler: {} } : {}) };
        const content = instanceContent(spec);
        const chain = timeoutsOf(content);
        const [pool, gate, ingress, preStop, drain, grace] = [
          chain.pool,
          chain.request,
          chain.ingress,
          chain.preStop,
          chain.drain,
          chain.gracePeriod,
        ].map(durationMs) as [number, number, number, number, number, number];
        expect(pool).toBeLessThan(gate);
        expect(gate).toBeLessThan(ingress);
        expect(gate).toBeLessThanOrEqual(drain);
        expect(preStop + drain).toBeLessThan(grace);
        expect(timeoutProblem(content)).toBeUndefined();
        const pod = podTemplate('todo', 1, content)['spec'] as { terminationGracePeriodSeconds: number };
        expect(pod.terminationGracePeriodSeconds * 1000).toBe(grace);
      }),
    );
  });
});

describe('a wait for a connection that is not shorter than the request', () => {
  const problemOf = (wait: string, request: string): string | undefined =>
    timeoutProblem(
      instanceContent({
        expose: { host, timeouts: { request } },
        postgrest: { config: { 'db-pool-acquisition-timeout': wait } },
      }),
    );

  test('is named, with what to do', () => {
    expect(problemOf('30', '20s')).toBe(
      'spec.postgrest.config.db-pool-acquisition-timeout is 30 s, and the gate gives up after 20s (spec.expose.timeouts.request): a client would never learn that there was no free connection. Lower db-pool-acquisition-timeout, or raise spec.expose.timeouts.request above it.',
    );
    expect(problemOf('55', '55s')).toContain('is 55 s');
  });

  test.each([
    ['54', '55s'],
    ['19', '20s'],
    ['300', '1h'],
  ])('%s s within %s is none', (wait, request) => {
    expect(problemOf(wait, request)).toBeUndefined();
  });
});
