import type { TaskContext } from '../runtime/tasks.ts';

/** A gate to ask for its OpenAPI document. */
export interface ContractSide {
  readonly ip: string;
  /** The gate's public port. */
  readonly port: number;
  /** The Host header: `expose.host`. */
  readonly host: string;
  /** What stands before the path: `` or `/todo`. */
  readonly prefix: string;
}

/** Two pods, one of each revision. */
export interface ContractOrder {
  readonly stable: ContractSide;
  readonly candidate: ContractSide;
}

/** What the candidate takes away from clients, or why nobody can tell. */
export type ContractResult =
  | {
      readonly total: number;
      /** A sentence each: at most 20, each of at most 256 characters. */
      readonly changes: readonly string[];
    }
  | { readonly unknown: string };

/** Compares what the two say of themselves to a client without a token. */
export function compareContracts(_order: ContractOrder, _context: TaskContext): Promise<ContractResult> {
  return Promise.reject(new Error('the comparison of contracts is not built yet'));
}
