import type { Sample } from '../../hack/load/sample.ts';

/** How long clients really had each share of a cutover in the steps 10, 50 and 100 %, in seconds. */
export interface Exposure {
  readonly at10: number;
  readonly at50: number;
}

/**
 * Reads it from the answers between the first one of `revision` and the last one of anything else: the moment at which
 * one share ends and the next begins is where a break makes the answers likeliest. Undefined when the clients never had
 * both revisions.
 */
export function exposureOf(samples: readonly Sample[], revision: string): Exposure | undefined {
  const answers = samples
    .filter((sample) => sample.revision !== '')
    .toSorted((left, right) => left.endedAt - right.endedAt);
  const first = answers.findIndex((sample) => sample.revision === revision);
  const last = answers.findLastIndex((sample) => sample.revision !== revision);
  const [begin, end] = [answers[first], answers[last]];
  if (begin === undefined || end === undefined || first > last) return undefined;

  // Log-likelihood of a break before each answer, up to a constant: what the answers before it say for 10 against 50 %.
  let odds = 0;
  let best = { odds: 0, at: begin.endedAt };
  for (const { revision: from, endedAt } of answers.slice(first, last + 1)) {
    odds += from === revision ? Math.log(0.1 / 0.5) : Math.log(0.9 / 0.5);
    if (odds > best.odds) best = { odds, at: endedAt };
  }
  return { at10: (best.at - begin.endedAt) / 1000, at50: (end.endedAt - best.at) / 1000 };
}
