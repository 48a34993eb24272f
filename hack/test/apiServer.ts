// Vitest global setup of the project `api`: a real API server on a real etcd, without nodes, for the tests of one run.
import { join } from 'node:path';
import {
  apiServerDaemon,
  awaitApiServer,
  createCertificates,
  etcdDaemon,
  writeAdminKubeconfig,
} from '../cluster/controlPlane.ts';
import type { ControlPlane } from '../cluster/controlPlane.ts';
import { ensurePackages } from '../lib/apt.ts';
import { startDaemon } from '../lib/daemon.ts';
import { hasCommand } from '../lib/exec.ts';
import { createLog } from '../lib/log.ts';
import { freePorts } from '../lib/ports.ts';
import { removeScratch, scratchFolder } from '../lib/scratch.ts';
import { ensureKubernetes, ensureTool } from '../toolchain/index.ts';

/** Starts both, sets PGRST_TEST_KUBECONFIG (and PGRST_TEST_KUBECTL) and returns what stops them again. */
export default async function startApiServer(): Promise<() => Promise<void>> {
  const log = createLog();
  if (!(await hasCommand('openssl'))) await ensurePackages(['openssl'], log);
  const kubectl = await ensureKubernetes('kubectl', log);
  const programs = {
    apiServer: await ensureKubernetes('kube-apiserver', log),
    etcd: await ensureTool('etcd', log),
  };
  const folder = await scratchFolder('pgrst-test-api-');
  const [api = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
  const plane: ControlPlane = { folder, address: '127.0.0.1', ports: { api, etcd, etcdPeer }, programs };
  const etcdProcess = etcdDaemon(plane);
  try {
    const certificates = await createCertificates(plane);
    await startDaemon(etcdProcess);
    // Its own endpoint in the service `kubernetes` is of no use here and refused for loopback addresses.
    const apiServer = apiServerDaemon(plane, certificates, ['--endpoint-reconciler-type=none']);
    await startDaemon(apiServer);
    const kubeconfig = join(folder, 'kubeconfig');
    writeAdminKubeconfig(plane, certificates, kubeconfig, 'postgrest-operator-test');
    await awaitApiServer(kubectl, kubeconfig, [etcdProcess, apiServer]);
    process.env.PGRST_TEST_KUBECONFIG = kubeconfig;
    process.env.PGRST_TEST_KUBECTL = kubectl;
    return () => removeScratch(folder);
  } catch (error) {
    await removeScratch(folder);
    throw error;
  }
}
