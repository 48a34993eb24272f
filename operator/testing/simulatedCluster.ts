import { legacy, type Canary, type Expectation } from '../rollout/types.ts';
import type { TrafficReading } from '../traffic/router.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { FakeKube } from './fakeKube.ts';

/** A cluster's own controllers and its data plane, in memory, for one instance in one namespace. */
export interface SimulatedCluster {
  /** Deployments get their pods, all ready at once. */
  reconcile(): void;
  /** Whether the data plane does this now. */
  does(expectation: Expectation): boolean;
  /** What clients of the stable Service and of the ingress would see that they must never see; empty: nothing. */
  violations(): string[];
}

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly metadata: { readonly labels: Record<string, string> } };
  };
}

const revisionLabel = 'pgrst.dev/revision';

/** The cluster around a fake API server. `read` is the router's view of its objects. */
export function createSimulatedCluster(
  kube: FakeKube,
  instance: string,
  namespace: string,
  read: (objects: readonly KubeObject[]) => TrafficReading,
): SimulatedCluster {
  let serial = 0;
  let seenMain: number | undefined;

  const service = () => kube.read({ apiVersion: 'v1', kind: 'Service', namespace, name: instance });
  const selected = (): number | undefined => {
    const selector = (service() as { spec?: { selector?: Record<string, string> } } | undefined)?.spec
      ?.selector;
    return selector ? Number(selector[revisionLabel]) : undefined;
  };
  const ingress = (name: string) =>
    kube.read({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name });
  const reading = () =>
    read([ingress(instance), ingress(`${instance}-canary`)].filter((o) => o !== undefined));
  const main = (): number | undefined => (reading().main === 'from' ? legacy : selected());
  const canary = (): Canary | undefined => reading().canary;
  const podsOf = (revision: number): readonly KubeObject[] =>
    kube.all('Pod').filter(({ metadata }) => metadata.labels?.[revisionLabel] === String(revision));

  function scale(deployment: Deployment): void {
    const { labels } = deployment.spec.template.metadata;
    const mine = kube
      .all('Pod')
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === deployment.metadata.name);
    for (const { metadata } of mine.slice(deployment.spec.replicas)) {
      kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace, name: metadata.name });
    }
    for (let missing = deployment.spec.replicas - mine.length; missing > 0; missing -= 1) {
      serial += 1;
      const { apiVersion, kind, metadata } = deployment;
      const name = `${metadata.name}-${serial}`;
      const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
      kube.put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, labels, ownerReferences: [owner] },
      });
      kube.putStatus(
        { apiVersion: 'v1', kind: 'Pod', namespace, name },
        { podIP: `10.0.0.${serial}`, conditions: [{ type: 'Ready', status: 'True' }] },
      );
    }
  }

  return {
    reconcile() {
      for (const object of kube.all('Deployment')) {
        const deployment = object as Deployment;
        scale(deployment);
        const { apiVersion, kind, metadata } = deployment;
        kube.putStatus(
          { apiVersion, kind, namespace, name: metadata.name },
          { readyReplicas: deployment.spec.replicas },
        );
      }
    },
    does(expectation) {
      const share = canary();
      const weight = share?.weight ?? 0;
      if (main() === undefined || !ingress(instance)) return false;
      switch (expectation.kind) {
        case 'main':
          return main() === expectation.revision;
        case 'stable':
          return selected() === expectation.revision;
        case 'canary':
          return share?.revision === expectation.revision;
        case 'weights':
          if (expectation.stable === expectation.candidate)
            return main() === expectation.stable && weight === 0;
          if (expectation.weight === 100) return share?.revision === expectation.candidate && weight === 100;
          return (
            main() === expectation.stable &&
            weight === expectation.weight &&
            (weight === 0 || share?.revision === expectation.candidate)
          );
      }
    },
    violations() {
      const found: string[] = [];
      const now = main();
      const share = canary();
      const isOurs = now !== undefined && now !== legacy;
      if (isOurs && podsOf(now).length === 0)
        found.push(`the stable Service selects r${now}, which has no pod`);
      if (now === undefined && seenMain !== undefined && ingress(instance)) {
        found.push('the Ingress leads to no stable Service');
      }
      if (share && share.weight > 0 && podsOf(share.revision).length === 0) {
        found.push(`r${share.revision} has ${share.weight} % and no pod`);
      }
      if (seenMain !== undefined && now !== undefined && now !== seenMain) {
        if (share?.revision !== now || share.weight !== 100) {
          found.push(`the stable Service moved from r${seenMain} to r${now} while clients still used it`);
        }
      }
      seenMain = now;
      return found;
    },
  };
}
