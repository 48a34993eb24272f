import { createHash } from 'node:crypto';
import { faults, type Fault } from './faults.ts';
import { phases, type Phase } from './phases.ts';

/** One combination: a fault in a phase of an operation. */
export interface Cell {
  readonly phase: Phase;
  readonly fault: Fault;
}

/** `rollout/shifting/database-restarted`: what `--only` is matched against. */
export function nameOf({ phase, fault }: Cell): string {
  return `${phase.operation}/${phase.name}/${fault.name}`;
}

/** Every phase with every fault. */
export function allCells(): Cell[] {
  return phases.flatMap((phase) => faults.map((fault) => ({ phase, fault })));
}

/**
 * At most `count` of the cells: the next ones of the faults' list, so that consecutive seeds meet every fault, each in a
 * phase that the seed decides. The same seed gives the same cells.
 */
export function sampleCells(cells: readonly Cell[], count: number, seed: number): Cell[] {
  const kinds = [...new Set(cells.map(({ fault }) => fault))];
  return Array.from({ length: Math.min(count, kinds.length) }, (_, index) => {
    const fault = kinds[(seed * count + index) % kinds.length];
    const candidates = cells.filter((cell) => cell.fault === fault);
    return candidates[draw(seed, index) % candidates.length];
  }).filter((cell) => cell !== undefined);
}

function draw(seed: number, index: number): number {
  return createHash('sha256').update(`${seed}/${index}`).digest().readUInt32BE();
}
