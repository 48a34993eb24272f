import { accepted, durationForm, instanceWith, refused, type SpecCase } from './specCase.ts';

const r = (field: string, value: unknown) => instanceWith(`spec.rollout.${field}`, value);
const analysis = (value: unknown) => r('analysis', value);
const prometheus = (...queries: unknown[]) =>
  analysis({ prometheus: { address: 'https://prometheus.example.com/base', queries } });
const shareForm = 'a share is written in percent, such as 5% or 0.5%';
const probePath = "a probe's path begins with '/', such as /tasks?limit=1";
const bound = 'a query needs a bound: set min, max or both';

/** What is accepted and what is refused in `spec.rollout` of an ApiInstance, beyond steps and history. */
export const rolloutCases: readonly SpecCase[] = [
  accepted('a Service to come from', r('from', { service: { name: 'old-api', port: 80 } })),
  refused('a Service to come from without a port', r('from', { service: { name: 'old-api' } }), {
    both: 'spec.rollout.from.service.port: Required value',
  }),
  refused('a Service to come from of port 65536', r('from', { service: { name: 'a', port: 65_536 } }), {
    both: 'should be less than or equal to 65535',
  }),
  refused('from without a Service', r('from', {}), { both: 'spec.rollout.from.service: Required value' }),

  accepted('an analysis with its defaults', analysis({})),
  ...['5%', '0.5%', '100%', '0%', '99.99%'].map((maxErrorRate) =>
    accepted(`an error rate of ${maxErrorRate}`, analysis({ maxErrorRate })),
  ),
  ...['5', '101%', '.5%', '5.123%', '-1%', '5 %'].map((maxErrorRate) =>
    refused(`an error rate of ${maxErrorRate}`, analysis({ maxErrorRate }), {
      ...(maxErrorRate.length < 2 ? { both: 'should be at least 2 chars long' } : { rule: shareForm }),
    }),
  ),
  refused('an error rate as a number', analysis({ maxErrorRate: 5 }), { both: 'must be of type string' }),
  refused('a latency without a unit', analysis({ maxP95: '500' }), { rule: durationForm }),
  refused('an analysis of no requests', analysis({ minRequests: 0 }), {
    both: 'should be greater than or equal to 1',
  }),
  accepted('a probe with its defaults', analysis({ probes: [{ path: '/' }] })),
  accepted('a probe of a function', analysis({ probes: [{ path: '/rpc/f?a=eq.(1,2)&b=%20', status: 404 }] })),
  ...['tasks', '/a b', '/a#b', '/a\r\nHost: x'].map((path) =>
    refused(`a probe of ${JSON.stringify(path)}`, analysis({ probes: [{ path }] }), { rule: probePath }),
  ),
  refused('a probe for status 99', analysis({ probes: [{ path: '/', status: 99 }] }), {
    both: 'should be greater than or equal to 100',
  }),
  refused('17 probes', analysis({ probes: Array.from({ length: 17 }, () => ({ path: '/' })) }), {
    both: 'must have at most 16 items',
  }),
  accepted(
    'queries with a bound each',
    prometheus({ name: 'latency', query: 'x', max: 0.5 }, { name: 'hits', query: 'y', min: 1, max: 2 }),
  ),
  refused('a query without a bound', prometheus({ name: 'latency', query: 'x' }), { rule: bound }),
  refused(
    'two queries of one name',
    prometheus({ name: 'a', query: 'x', max: 1 }, { name: 'a', query: 'y', max: 1 }),
    { both: 'queries[1]: Duplicate value' },
  ),
  refused('a query with an odd name', prometheus({ name: 'A b', query: 'x', max: 1 }), {
    rule: "a query's name has lower case letters, digits and '-'",
  }),
  refused('a Prometheus without queries', prometheus(), { both: 'should have at least 1 items' }),
  refused(
    'a Prometheus by its name alone',
    analysis({ prometheus: { address: 'prometheus:9090', queries: [{ name: 'a', query: 'x', max: 1 }] } }),
    { rule: 'address is the URL of a Prometheus' },
  ),

  refused('an unheard-of answer to a breaking change', r('breaking', 'Ask'), {
    both: 'spec.rollout.breaking: Unsupported value',
  }),
  refused('an unheard-of capacity', r('capacity', 'Half'), {
    both: 'spec.rollout.capacity: Unsupported value',
  }),
  accepted('a deadline of half an hour', r('progressDeadline', '30m')),
  refused('a deadline of no duration', r('progressDeadline', '600'), { rule: durationForm }),
];
