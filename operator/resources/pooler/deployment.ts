import { createHash } from 'node:crypto';
import type { PoolerSpec } from '../../api/v1alpha1/apiInstancePooler.ts';
import { poolerParameters } from '../../api/v1alpha1/poolerParameters.ts';
import { group } from '../../api/v1alpha1/shared.ts';
import type { KubeObject } from '../../runtime/object.ts';
import { labels, names, ownedMetadata, poolerSelector, type Owner } from '../names.ts';
import { exporterPort, poolerPort } from '../ports.ts';
import type { OperandImages } from '../revision.ts';
import { restrictedContainer, restrictedPod } from '../security.ts';
import { requestSeconds, type Timeouts } from '../timeouts.ts';
import { authorityKey, exporterKey } from './configuration.ts';
import { shown, type PoolerCredentials } from './credentials.ts';

/**
 * How old a client's connection may get, in seconds. PostgREST looks when it takes one out of its pool, so that after
 * this time none is used any more that leads to a PgBouncer which is to stop.
 */
export const clientLifetimeSeconds = 45;
const preStopSeconds = 5;

/** Annotation of the pods that tells their template from another. */
export const templateAnnotation = `${group}/pooler-template`;

/** What the pods of the pooler are made of. */
export interface PoolerPods {
  readonly spec: PoolerSpec;
  readonly images: OperandImages;
  readonly credentials: PoolerCredentials;
  /** How PgBouncer logs in to the database; only a new process takes another without failing a request. */
  readonly server: string;
  /** Whether the Secret holds certificates of the database's authority. */
  readonly hasAuthority?: boolean;
  readonly timeouts?: Timeouts;
}

/** The pooler, and what its template is known by. A change of what PgBouncer can read anew leaves the template as it is. */
export function poolerDeployment(
  owner: Owner,
  from: PoolerPods,
): { readonly object: KubeObject; readonly template: string } {
  const { pooler } = names(owner.name);
  const objectLabels = labels(owner.name, 'pooler');
  const annotations = {
    [`${group}/pooler-server`]: shown(from.credentials, from.server),
    [`${group}/start-parameters`]: startParameters(from.spec),
  };
  const spec = podSpec(owner, from);
  const template = createHash('sha256')
    .update(JSON.stringify([annotations, spec]))
    .digest('hex')
    .slice(0, 12);
  return {
    template,
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: ownedMetadata(owner, pooler, objectLabels),
      spec: {
        replicas: from.spec.replicas,
        revisionHistoryLimit: 1,
        selector: { matchLabels: poolerSelector(owner.name) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels: objectLabels, annotations: { ...annotations, [templateAnnotation]: template } },
          spec,
        },
      },
    },
  };
}

function podSpec(owner: Owner, { spec, images, hasAuthority, timeouts }: PoolerPods): object {
  const { pooler, serviceAccount } = names(owner.name);
  const keys = ['pgbouncer.ini', 'userlist.txt', ...(hasAuthority === true ? [authorityKey] : [])];
  const files = keys.map((key) => ({ key, path: key }));
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // The last part is for the requests that begin at the end of the time before.
    terminationGracePeriodSeconds: preStopSeconds + clientLifetimeSeconds + requestSeconds(timeouts),
    securityContext: restrictedPod,
    containers: [
      poolerContainer(spec.image ?? images.pgbouncer),
      ...(images.pgbouncerExporter === undefined
        ? []
        : [exporterContainer(images.pgbouncerExporter, pooler)]),
    ],
    // Not the whole Secret: the passwords of the console are nothing that PgBouncer has to know.
    volumes: [{ name: 'config', secret: { secretName: pooler, defaultMode: 0o444, items: files } }],
  };
}

/** The parameters that PgBouncer reads only when it starts. They come from the spec and hold no secret. */
function startParameters({ parameters }: PoolerSpec): string {
  return Object.entries(poolerParameters)
    .filter(([, { change }]) => change === 'pods')
    .map(([name, { byDefault }]) => `${name}=${parameters?.[name] ?? byDefault}`)
    .join(' ');
}

/** Where PostgREST finds PgBouncer. */
export function poolerService(owner: Owner): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(owner, names(owner.name).pooler, labels(owner.name, 'pooler')),
    spec: {
      selector: poolerSelector(owner.name),
      ports: [{ name: 'postgres', port: poolerPort, targetPort: poolerPort, protocol: 'TCP' }],
    },
  };
}

function poolerContainer(image: string): object {
  return {
    name: 'pgbouncer',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['pgbouncer', '/etc/pgbouncer/pgbouncer.ini'],
    ports: [{ name: 'postgres', containerPort: poolerPort, protocol: 'TCP' }],
    readinessProbe: { tcpSocket: { port: 'postgres' }, periodSeconds: 2 },
    livenessProbe: { tcpSocket: { port: 'postgres' }, periodSeconds: 10, failureThreshold: 6 },
    // New connections go elsewhere first; then PgBouncer waits for its clients to leave, within the grace period.
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    resources: { requests: { cpu: '20m', memory: '16Mi' }, limits: { memory: '256Mi' } },
    securityContext: { ...restrictedContainer, runAsUser: 65534, runAsGroup: 65534 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/pgbouncer', readOnly: true }],
  };
}

/** It has no probe: whoever cannot be scraped still serves. */
function exporterContainer(image: string, secret: string): object {
  return {
    name: 'exporter',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [
      {
        name: 'PGBOUNCER_EXPORTER_CONNECTION_STRING',
        valueFrom: { secretKeyRef: { name: secret, key: exporterKey } },
      },
    ],
    ports: [{ name: 'metrics', containerPort: exporterPort, protocol: 'TCP' }],
    resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } },
    securityContext: { ...restrictedContainer, runAsUser: 65534, runAsGroup: 65534 },
  };
}
