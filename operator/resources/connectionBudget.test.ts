import { describe, expect, it, test } from 'vitest';
import { budgetOf, demandWords, directPods, type Demand, type Limit } from './connectionBudget.ts';
import type { RevisionContent } from './revision.ts';

const pods = (count: number, pool = 10, listens = true) => ({ pods: count, pool, listens });
const direct = (...each: Demand['direct']): Demand => ({ direct: each, pooler: undefined });
const pooled = (cap: number, ...each: Demand['direct']): Demand => ({ direct: each, pooler: cap });
const server = (max: number, others: number, reserved = 3): Limit => ({
  of: 'server',
  name: '',
  max,
  reserved,
  others,
});
const database = (max: number, others: number): Limit => ({
  of: 'database',
  name: 'app',
  max,
  reserved: 0,
  others,
});
const role = (max: number, others: number): Limit => ({
  of: 'role',
  name: 'authenticator',
  max,
  reserved: 0,
  others,
});

test.each<[string, Demand, readonly Limit[], boolean, string]>([
  [
    'two revisions of the same size',
    direct(pods(3), pods(3)),
    [server(100, 17)],
    true,
    "2 revisions x 3 pods x (10 + 1) = 66, 3 of the operator: 69 connections; 80 of the server's 100 are free (3 reserved, 17 in use by others).",
  ],
  [
    'too many pods for the server',
    direct(pods(5), pods(5)),
    [server(100, 17)],
    false,
    "2 revisions x 5 pods x (10 + 1) = 110, 3 of the operator: 113 connections; only 80 of the server's 100 are free (3 reserved, 17 in use by others): 33 too many. Lower spec.replicas or db-pool in spec.postgrest.config, or set spec.pooler, whose maxServerConnections is then the sum, or raise max_connections of the server to 133.",
  ],
  [
    'a candidate with another pool',
    direct(pods(3), pods(3, 30)),
    [server(100, 0)],
    false,
    "1 revision x 3 pods x (10 + 1) = 33, 1 revision x 3 pods x (30 + 1) = 93, 3 of the operator: 129 connections; only 97 of the server's 100 are free (3 reserved, 0 in use by others): 32 too many. Lower spec.replicas or db-pool in spec.postgrest.config, or set spec.pooler, whose maxServerConnections is then the sum, or raise max_connections of the server to 132.",
  ],
  [
    'a third revision that is still warm',
    direct(pods(2), pods(2), pods(2)),
    [server(60, 0)],
    false,
    "3 revisions x 2 pods x (10 + 1) = 66, 3 of the operator: 69 connections; only 57 of the server's 60 are free (3 reserved, 0 in use by others): 12 too many. Wait until rollout.warmFor of the revision before is over, or lower spec.replicas or db-pool in spec.postgrest.config, or set spec.pooler, whose maxServerConnections is then the sum, or raise max_connections of the server to 72.",
  ],
  [
    'a pooler whose cap is too high',
    pooled(100),
    [server(100, 0)],
    false,
    "at most 100 of PgBouncer, 3 of the operator: 103 connections; only 97 of the server's 100 are free (3 reserved, 0 in use by others): 6 too many. Lower spec.pooler.maxServerConnections, or raise max_connections of the server to 106.",
  ],
  [
    'the change to a pooler: both at once',
    pooled(40, pods(1)),
    [server(50, 0)],
    false,
    "1 revision x 1 pod x (10 + 1) = 11, at most 40 of PgBouncer, 3 of the operator: 54 connections; only 47 of the server's 50 are free (3 reserved, 0 in use by others): 7 too many. Lower spec.replicas or db-pool in spec.postgrest.config, or lower spec.pooler.maxServerConnections, or raise max_connections of the server to 57.",
  ],
  [
    'a role with a limit of its own, which is nearer than the server',
    direct(pods(1), pods(1)),
    [server(100, 0), role(20, 2)],
    false,
    '2 revisions x 1 pod x (10 + 1) = 22, 3 of the operator: 25 connections; only 18 of the 20 of role authenticator are free (2 in use by others): 7 too many. Lower spec.replicas or db-pool in spec.postgrest.config, or set spec.pooler, whose maxServerConnections is then the sum, or raise the limit: alter role authenticator connection limit 27.',
  ],
  [
    'a database with a limit of its own',
    pooled(40),
    [server(100, 0), database(42, 0), role(1000, 0)],
    false,
    'at most 40 of PgBouncer, 3 of the operator: 43 connections; only 42 of the 42 of database app are free (0 in use by others): 1 too many. Lower spec.pooler.maxServerConnections, or raise the limit: alter database app connection limit 43.',
  ],
  [
    'a server that others have filled',
    pooled(1),
    [server(20, 40)],
    false,
    "at most 1 of PgBouncer, 3 of the operator: 4 connections; only 0 of the server's 20 are free (3 reserved, 40 in use by others): 4 too many. Lower spec.pooler.maxServerConnections, or raise max_connections of the server to 47.",
  ],
  [
    'to the last connection',
    direct(pods(1, 10, false)),
    [server(16, 0)],
    true,
    "1 revision x 1 pod x 10 = 10, 3 of the operator: 13 connections; 13 of the server's 16 are free (3 reserved, 0 in use by others).",
  ],
])('%s', (_, demand, limits, fits, message) => {
  expect(budgetOf(demand, limits)).toEqual({ fits, message });
  expect(message.startsWith(`${demandWords(demand)};`)).toBe(true);
});

describe('what the pods of a revision open', () => {
  const content = (config: Record<string, string>, isPooled = false) =>
    ({
      postgrest: { config },
      database: isPooled ? { pooled: true } : { pooled: false },
    }) as unknown as RevisionContent;

  it.each<[string, RevisionContent, number, boolean]>([
    ['nothing said: the default of PostgREST', content({}), 10, true],
    ['its own db-pool', content({ 'db-pool': '25' }), 25, true],
    ['without the channel nobody listens', content({ 'db-channel-enabled': 'false' }), 10, false],
    ['behind the pooler nobody listens', content({}, true), 10, false],
  ])('%s', (_, of, pool, listens) => {
    expect(directPods(of, 4)).toEqual({ pods: 4, pool, listens });
  });
});
