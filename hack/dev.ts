// The operator from this working copy, against the cluster that is up, without an image: `npm run dev`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureCluster } from './cluster/index.ts';
import { createLog } from './lib/log.ts';

const log = createLog();
const cluster = await ensureCluster({
  yes: process.env['CI'] === 'true' || process.argv.includes('--yes'),
  log,
});
const { images } = cluster;
log.say(
  'Starting the operator; it restarts when a file changes. An operator in the cluster would do the same work:',
);
log.say('  kubectl -n postgrest-operator-system scale deployment/postgrest-operator --replicas=0');
const operator = spawn(
  process.execPath,
  ['--watch', '--liftoff-only', join(import.meta.dirname, '..', 'operator', 'main.ts')],
  {
    env: {
      ...process.env,
      KUBECONFIG: cluster.kubeconfig,
      PGRST_OPERATOR_POSTGREST_IMAGE: images.postgrest,
      PGRST_OPERATOR_GATE_IMAGE: images.gate,
      PGRST_OPERATOR_PGBOUNCER_IMAGE: images.pgbouncer,
      PGRST_OPERATOR_PGBOUNCER_EXPORTER_IMAGE: images['pgbouncer-exporter'],
      PGRST_OPERATOR_LEADER_ELECTION: 'false',
    },
    stdio: ['inherit', 'pipe', 'inherit'],
  },
);
const pretty = spawn('pino-pretty', ['--ignore', 'reconcileId,controller'], {
  stdio: ['pipe', 'inherit', 'inherit'],
});
operator.stdout.pipe(pretty.stdin);
operator.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
