/**
 * The composition root: configuration -> clients -> leader election -> controllers -> signals. The only file that
 * touches `process`, besides the clock.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { readConfig } from './config.ts';
import { startControllers, type Running } from './controllers/start.ts';
import { createLogger } from './observability/logger.ts';
import { createMetrics } from './observability/metrics.ts';
import { startProbes } from './observability/probes.ts';
import { createKubeClient } from './runtime/client.ts';
import { systemClock } from './runtime/clock.ts';
import { createEventRecorder } from './runtime/events.ts';
import { createLeaderElector, type LeaderElector } from './runtime/leader.ts';
import { exitOnFatalErrors, runShutdown } from './runtime/shutdown.ts';

/** Less than the pod's terminationGracePeriodSeconds, which the chart sets to 30. */
const shutdownMs = 20_000;

const config = readConfig(process.env);
const log = createLogger(config.LOG_LEVEL);
exitOnFatalErrors(process, log);

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const metrics = createMetrics();
const clock = systemClock;
const rng = Math.random;
const client = createKubeClient(kubeConfig, {
  mappings: {
    'pgrst.dev/v1alpha1 ApiSchema': { plural: 'apischemas', namespaced: true },
    'pgrst.dev/v1alpha1 ApiInstance': { plural: 'apiinstances', namespaced: true },
  },
  onRequest: metrics.request,
});
const events = createEventRecorder({
  client,
  clock,
  log,
  reportingController: 'pgrst.dev/postgrest-operator',
  reportingInstance: config.IDENTITY,
});

let running: Running | undefined;
let elector: LeaderElector | undefined;
let stopping = false;

function lead(): void {
  metrics.leader(config.LEASE_NAME, true);
  running = startControllers({ client, clock, rng, log, metrics, events, config });
}

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await runShutdown(
    [
      { name: 'controllers', run: (remainingMs) => running?.stop(remainingMs / 2) },
      // Only once nothing writes any more may another copy begin.
      { name: 'lease', run: () => elector?.stop() },
      { name: 'events', run: () => events.flush() },
      { name: 'probes', run: () => probes.close() },
      { name: 'connections', run: () => client.close() },
    ],
    { clock, log, deadlineMs: shutdownMs },
  );
  process.exit(exitCode);
}

const probes = await startProbes({
  port: config.PROBE_PORT,
  healthy: () => true,
  ready: () => running?.isReady() ?? true,
  registry: metrics.registry,
});
if (config.METRICS_PORT !== config.PROBE_PORT) {
  await startProbes({
    port: config.METRICS_PORT,
    healthy: () => true,
    ready: () => true,
    registry: metrics.registry,
  });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    log.info({ signal }, 'stopping');
    void stop(0);
  });
}

metrics.leader(config.LEASE_NAME, false);
if (config.LEADER_ELECTION) {
  elector = createLeaderElector({
    client,
    clock,
    rng,
    log,
    lease: { namespace: config.LEASE_NAMESPACE, name: config.LEASE_NAME },
    identity: `${config.IDENTITY}_${randomUUID()}`,
    onElected: lead,
    onLost: () => {
      metrics.leader(config.LEASE_NAME, false);
      // Somebody else may be writing already: no draining, no releasing.
      process.exit(1);
    },
  });
} else {
  lead();
}
log.info({ config }, 'postgrest-operator is up');
