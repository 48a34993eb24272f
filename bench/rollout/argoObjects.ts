import type { Step } from '../../operator/api/v1alpha1/apiInstanceRollout.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import type { PodTemplate } from '../../operator/resources/revision.ts';
import { keptRevisions, replicas, warmSeconds } from './contender.ts';

/** Name of the Rollout, and the label of its pods. */
export const rolloutName = 'argo';

/** What our own operator runs its pods with: the Deployment's template, and the gate's configuration. */
export interface Original {
  readonly template: PodTemplate;
  /** Files of the gate's ConfigMap. */
  readonly gate: Readonly<Record<string, string>>;
  /** Number of the revision. */
  readonly revision: number;
  /** Id of the release. */
  readonly release: string;
}

/** Services and Ingress, as the documentation of the nginx router has them. */
export function argoSurroundings(host: string): KubeObject[] {
  const service = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      selector: { app: rolloutName },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    },
  });
  return [
    service(`${rolloutName}-stable`),
    service(`${rolloutName}-canary`),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: rolloutName },
      spec: {
        ingressClassName: 'nginx',
        rules: [
          {
            host,
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: `${rolloutName}-stable`, port: { name: 'http' } } },
                },
              ],
            },
          },
        ],
      },
    },
  ];
}

/** The gate's configuration for a revision of Argo's: ours with another number and another release. */
export function argoGate(original: Original, revision: number, release: string): KubeObject {
  const number = (of: number): string => `map "" $revision { default "${String(of)}"; }`;
  const configuration = original.gate['nginx.conf'] ?? '';
  if (!configuration.includes(number(original.revision)))
    throw new Error("the gate's configuration does not name its revision as it used to");
  const data = {
    ...original.gate,
    'nginx.conf': configuration
      .replace(number(original.revision), () => number(revision))
      .replaceAll(original.release, release),
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: gateName(revision) },
    immutable: true,
    data,
  };
}

/** The pods of a revision of Argo's: ours, but for the labels, by which our operator would take them for its own. */
export function argoTemplate(original: Original, revision: number, release: string): PodTemplate {
  const text = JSON.stringify(original.template).replaceAll(original.release, release);
  const template = JSON.parse(text) as {
    spec: { volumes: { name: string; configMap?: { name: string } }[] };
  };
  const labels = { app: rolloutName };
  const { volumes } = template.spec;
  return {
    metadata: { labels },
    spec: {
      ...template.spec,
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: labels },
        },
      ],
      volumes: volumes.map((volume) =>
        volume.name === 'gate' ? { ...volume, configMap: { name: gateName(revision) } } : volume,
      ),
    },
  };
}

/** The Rollout: canary by nginx weights. */
export function argoRollout(template: PodTemplate, steps: readonly Step[]): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: rolloutName },
    spec: {
      replicas,
      revisionHistoryLimit: keptRevisions,
      // Without it a way back walks all the steps again.
      rollbackWindow: { revisions: keptRevisions },
      selector: { matchLabels: { app: rolloutName } },
      template,
      strategy: {
        canary: {
          stableService: `${rolloutName}-stable`,
          canaryService: `${rolloutName}-canary`,
          trafficRouting: { nginx: { stableIngress: rolloutName } },
          maxSurge: 1,
          maxUnavailable: 0,
          scaleDownDelaySeconds: warmSeconds,
          abortScaleDownDelaySeconds: warmSeconds,
          steps: argoSteps(steps),
        },
      },
    },
  };
}

/**
 * Our steps as Argo's. All pods are started at the beginning, as ours are: without that the last step would wait for the
 * second one.
 */
export function argoSteps(steps: readonly Step[]): object[] {
  const translated = steps.map((step) =>
    step.weight === undefined ? { pause: step.pause ?? {} } : { setWeight: step.weight },
  );
  return [{ setCanaryScale: { replicas } }, ...translated];
}

function gateName(revision: number): string {
  return `${rolloutName}-gate-${String(revision)}`;
}
