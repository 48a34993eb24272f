import { binomialBounds } from '../../hack/load/binomial.ts';
import { countByRevision, within } from '../../hack/load/sample.ts';
import type { Journey } from './journey.ts';

/** What clients saw while one weight was proved. */
export interface ProvedShare {
  readonly weight: number;
  readonly requests: number;
  readonly fromCandidate: number;
  /** Bounds of a binomial count with the weight as probability, alpha 1e-6. */
  readonly low: number;
  readonly high: number;
}

const weightAnnotation = 'nginx.ingress.kubernetes.io/canary-weight';

/** Our watch may be behind the ingress controller's by this much, in milliseconds. */
const watchLagMs = 200;

/**
 * The share of `candidate` during each time in which the status called a weight between 1 and 99 proved: from when it
 * said so until the weight on the canary Ingress was changed.
 */
export function provedShares(journey: Journey, candidate: number): ProvedShare[] {
  const shares: ProvedShare[] = [];
  let weight: number | undefined;
  for (const { object, at } of journey.instance.history) {
    const { traffic } = object.status ?? {};
    const proved =
      traffic?.revision === candidate && traffic.provedWeight === traffic.weight ? traffic.weight : 0;
    if (proved === weight) continue;
    weight = proved;
    if (proved === 0 || proved === 100) continue;
    const change = journey.canary.history.find(
      (event) => event.at > at && event.object.metadata.annotations?.[weightAnnotation] !== String(proved),
    );
    const samples = within(journey.samples, at, (change?.at ?? Infinity) - watchLagMs);
    shares.push({
      weight: proved,
      requests: samples.length,
      fromCandidate: countByRevision(samples)[String(candidate)] ?? 0,
      ...binomialBounds(samples.length, proved / 100),
    });
  }
  return shares;
}
