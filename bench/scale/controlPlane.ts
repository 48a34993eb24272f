import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import {
  apiServerDaemon,
  awaitApiServer,
  createCertificates,
  etcdDaemon,
  pkiFolder,
  writeAdminKubeconfig,
  type ControlPlane,
} from '../../hack/cluster/controlPlane.ts';
import { startDaemon } from '../../hack/lib/daemon.ts';
import { writeKubeconfig } from '../../hack/lib/kubeconfig.ts';
import type { Log } from '../../hack/lib/log.ts';
import { issue } from '../../hack/lib/pki.ts';
import { freePorts } from '../../hack/lib/ports.ts';
import { ensureKubernetes, ensureTool } from '../../hack/toolchain/index.ts';
import { createKubeClient, type ConnectedKubeClient } from '../../operator/runtime/client.ts';
import { crdMappings } from '../../operator/testing/crds.ts';

/** A real API server on a real etcd, without nodes and without the controllers of Kubernetes. */
export interface Server {
  /** The benchmark's own. */
  readonly client: ConnectedKubeClient;
  /** Kubeconfig of the administrator, whom the fakes use. */
  readonly kubeconfig: string;
  /** Kubeconfig of a user of the operator's own, by whom its requests are told from all others. */
  readonly operatorKubeconfig: string;
  /** The audit log: one JSON object for each write that the operator has asked for. */
  readonly auditLog: string;
}

const operatorUser = 'postgrest-operator';

/** Starts both with their files in `folder`, whose removal ends them. */
export async function startControlPlane(folder: string, log: Log): Promise<Server> {
  const kubectl = await ensureKubernetes('kubectl', log);
  const programs = {
    apiServer: await ensureKubernetes('kube-apiserver', log),
    etcd: await ensureTool('etcd', log),
  };
  const [api = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
  const plane: ControlPlane = { folder, address: '127.0.0.1', ports: { api, etcd, etcdPeer }, programs };
  const certificates = await createCertificates(plane);
  const auditLog = join(folder, 'audit.log');
  const auditPolicy = join(folder, 'audit-policy.json');
  writeFileSync(auditPolicy, JSON.stringify(policy));

  const etcdProcess = etcdDaemon(plane);
  await startDaemon(etcdProcess);
  const apiServer = apiServerDaemon(plane, certificates, [
    '--endpoint-reconciler-type=none',
    // Pods of service accounts without tokens: nobody here makes the default account of a namespace.
    '--disable-admission-plugins=ServiceAccount',
    `--audit-policy-file=${auditPolicy}`,
    `--audit-log-path=${auditLog}`,
    '--audit-log-maxsize=1000',
  ]);
  await startDaemon(apiServer);
  const kubeconfig = join(folder, 'kubeconfig');
  writeAdminKubeconfig(plane, certificates, kubeconfig, 'scale');
  await awaitApiServer(kubectl, kubeconfig, [etcdProcess, apiServer]);

  const operatorKubeconfig = join(folder, 'kubeconfig-operator');
  writeKubeconfig(operatorKubeconfig, {
    name: 'scale',
    server: `https://127.0.0.1:${String(api)}`,
    authority: certificates.serverAuthority.cert,
    client: await issue(pkiFolder(plane), certificates.clientAuthority, {
      file: operatorUser,
      commonName: operatorUser,
      organization: 'system:masters',
    }),
    user: operatorUser,
  });
  return { client: connect(kubeconfig), kubeconfig, operatorKubeconfig, auditLog };
}

/** A client of the API server. */
export function connect(kubeconfig: string): ConnectedKubeClient {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return createKubeClient(config, { mappings: crdMappings });
}

// Only what is counted: writes of the operator but those of its Lease.
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    {
      level: 'Metadata',
      users: [operatorUser],
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
    },
    { level: 'None' },
  ],
};
