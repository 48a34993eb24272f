import { diffOpenApi, namesNothing, readOpenApi, type OpenApiDocument } from '../rollout/openApiDiff.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { getBody } from './probe.ts';

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

const limits = { timeoutMs: 60_000, maxBytes: 32 * 1024 * 1024 };
const maxChanges = 20;
const maxLength = 256;

/**
 * Compares what the two say of themselves to a client without a token. Unknown is what another attempt would not mend;
 * rejects when a pod cannot be reached or answers 5xx, which one may.
 */
export async function compareContracts(
  { stable, candidate }: ContractOrder,
  { signal }: TaskContext,
): Promise<ContractResult> {
  const [before, after] = await Promise.all([
    documentOf('stable', stable, signal),
    documentOf('the candidate', candidate, signal),
  ]);
  if ('unknown' in before) return before;
  if ('unknown' in after) return after;
  // Where every request needs a token the document may be there and empty: that no change is seen would mean nothing.
  if (namesNothing(before))
    return { unknown: 'the OpenAPI document of stable shows nothing to a client without a token' };
  const changes = diffOpenApi(before, after);
  return { total: changes.length, changes: changes.slice(0, maxChanges).map(clip) };
}

async function documentOf(
  who: string,
  { ip, port, host, prefix }: ContractSide,
  signal: AbortSignal,
): Promise<OpenApiDocument | { readonly unknown: string }> {
  const headers = { Host: host, Accept: 'application/openapi+json' };
  const target = { hostname: ip, port, path: `${prefix}/`, headers };
  const { status, body } = await getBody(target, limits, signal);
  if (status >= 500) throw new Error(`${who} answered ${status} for its OpenAPI document`);
  if (status !== 200)
    return {
      unknown: `${who} answers ${status} to a client without a token that asks for the OpenAPI document`,
    };
  if (body === undefined) return { unknown: `the OpenAPI document of ${who} is larger than 32 MB` };
  return readOpenApi(body) ?? { unknown: `what ${who} answers on / is not PostgREST's OpenAPI document` };
}

function clip(sentence: string): string {
  return sentence.length <= maxLength ? sentence : `${sentence.slice(0, maxLength - 1)}…`;
}
