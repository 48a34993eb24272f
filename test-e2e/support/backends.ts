import { names, revisionSelector, type Owner } from '../../operator/resources/names.ts';
import { publicPort } from '../../operator/resources/ports.ts';
import { restrictedContainer, restrictedPod } from '../../operator/resources/security.ts';
import { revisionService } from '../../operator/resources/service.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { asList, type Manifest } from './manifests.ts';

/** The Service, and the port of it, that stands for one which the operator does not manage. */
export const legacyBackend = { name: 'legacy', port: 8000 } as const;

/** An owner that is there, as the garbage collector wants it: a ConfigMap in the place of an ApiInstance. */
export async function createOwner(kubectl: Kubectl, namespace: string, name: string): Promise<Owner> {
  await kubectl(['create', 'configmap', name, '-n', namespace]);
  const uid = await kubectl(['get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.metadata.uid}']);
  return { apiVersion: 'v1', kind: 'ConfigMap', name, namespace, uid };
}

/** Pods that answer as the gates of these revisions do, with a Service for each; waits until they are ready. */
export async function startRevisions(
  kubectl: Kubectl,
  owner: Owner,
  image: string,
  revisions: readonly number[],
): Promise<void> {
  const named = revisions.map((number) => names(owner.name).revision(number));
  await kubectl(
    ['apply', '-f', '-'],
    asList(
      revisions.flatMap((number) => [
        ...backend(owner.namespace, names(owner.name).revision(number), image, {
          labels: revisionSelector(owner.name, number),
          header: `add_header X-Pgrst-Revision ${String(number)} always;`,
        }),
        revisionService(owner, number) as KubeObject & Manifest,
      ]),
    ),
  );
  await ready(kubectl, owner.namespace, named);
}

/** A Service with a pod that is no gate; waits until it is ready. */
export async function startLegacy(kubectl: Kubectl, namespace: string, image: string): Promise<void> {
  const { name, port } = legacyBackend;
  const labels = { app: name };
  const service: Manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: labels, ports: [{ name: 'api', port, targetPort: publicPort }] },
  };
  const manifests = [...backend(namespace, name, image, { labels, header: '' }), service];
  await kubectl(['apply', '-f', '-'], asList(manifests));
  await ready(kubectl, namespace, [name]);
}

async function ready(kubectl: Kubectl, namespace: string, deployments: readonly string[]): Promise<void> {
  for (const name of deployments)
    await kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']);
}

/** A Deployment of the gate's image whose nginx answers 200 to everything. */
function backend(
  namespace: string,
  name: string,
  image: string,
  { labels, header }: { labels: Readonly<Record<string, string>>; header: string },
): Manifest[] {
  const conf = `pid /tmp/nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen ${String(publicPort)};
    ${header}
    location / { return 200 "here\\n"; }
  }
}
`;
  const container = {
    name: 'backend',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['nginx', '-c', '/etc/backend/nginx.conf', '-e', 'stderr', '-g', 'daemon off;'],
    ports: [{ containerPort: publicPort }],
    readinessProbe: { tcpSocket: { port: publicPort }, periodSeconds: 1 },
    securityContext: { ...restrictedContainer, runAsUser: 101, runAsGroup: 101 },
    volumeMounts: [
      { name: 'conf', mountPath: '/etc/backend' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { 'nginx.conf': conf },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: restrictedPod,
            containers: [container],
            volumes: [
              { name: 'conf', configMap: { name } },
              { name: 'tmp', emptyDir: {} },
            ],
          },
        },
      },
    },
  ];
}
