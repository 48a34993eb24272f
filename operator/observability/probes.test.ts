import { afterEach, describe, expect, test } from 'vitest';
import { createQueue } from '../runtime/queue.ts';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createMetrics } from './metrics.ts';
import { startProbes, type Probes } from './probes.ts';

const running: Probes[] = [];

afterEach(async () => {
  for (const probes of running.splice(0)) await probes.close();
});

async function setUp() {
  const state = { healthy: true, ready: false };
  const metrics = createMetrics();
  const probes = await startProbes({
    port: 0,
    healthy: () => state.healthy,
    ready: () => state.ready,
    registry: metrics.registry,
  });
  running.push(probes);
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${probes.port}${path}`, { method });
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    };
  };
  return { state, metrics, probes, get };
}

describe('probes', () => {
  test('say what is so now', async () => {
    const { state, get } = await setUp();
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 503]);
    state.ready = true;
    state.healthy = false;
    expect([(await get('/healthz?verbose')).status, (await get('/readyz')).status]).toEqual([503, 200]);
    expect([(await get('/')).status, (await get('/healthz', 'POST')).status]).toEqual([404, 405]);
  });

  test('a taken port is an error', async () => {
    const { probes, metrics } = await setUp();
    const { registry } = metrics;
    const second = startProbes({ port: probes.port, healthy: () => true, ready: () => true, registry });
    await expect(second).rejects.toThrow('EADDRINUSE');
  });
});

describe('metrics', () => {
  test("have controller-runtime's names, labels and seconds", async () => {
    const { metrics, get } = await setUp();
    const clock = createFakeClock();
    const queue = createQueue<string>({ clock, rng: () => 0, metrics: metrics.queue('apiinstance') });
    metrics.controller.maxConcurrent('apiinstance', 4);
    queue.add('a');
    queue.add('a');
    await clock.advance(2000);
    const held = await queue.take(new AbortController().signal);
    queue.retry('b');
    await clock.advance(3000);
    metrics.controller.started('apiinstance');
    metrics.controller.ended('apiinstance', 'error', 1500);
    metrics.controller.started('apiinstance');
    metrics.request({ method: 'GET', status: 200 });
    metrics.request({ method: 'GET', status: 0 });
    metrics.leader('operator', true);
    const { text, type } = await get('/metrics');
    expect(type).toContain('text/plain');
    const labels = '{name="apiinstance",controller="apiinstance"}';
    for (const line of [
      `workqueue_adds_total${labels} 2`,
      `workqueue_depth${labels} 1`,
      `workqueue_retries_total${labels} 1`,
      `workqueue_queue_duration_seconds_sum${labels} 2`,
      `workqueue_unfinished_work_seconds${labels} 3`,
      `workqueue_longest_running_processor_seconds${labels} 3`,
      'controller_runtime_reconcile_total{controller="apiinstance",result="error"} 1',
      'controller_runtime_reconcile_total{controller="apiinstance",result="success"} 0',
      'controller_runtime_reconcile_errors_total{controller="apiinstance"} 1',
      'controller_runtime_reconcile_time_seconds_sum{controller="apiinstance"} 1.5',
      'controller_runtime_active_workers{controller="apiinstance"} 1',
      'controller_runtime_max_concurrent_reconciles{controller="apiinstance"} 4',
      'rest_client_requests_total{method="GET",code="200"} 1',
      'rest_client_requests_total{method="GET",code="<error>"} 1',
      'leader_election_master_status{name="operator"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    held?.done();
    expect((await get('/metrics')).text).toContain(`workqueue_work_duration_seconds_sum${labels} 3\n`);
  });
});
