import { urlToHttpOptions } from 'node:url';
import { getBody } from './probe.ts';

/** What a query gave: one number, or what it gave instead (the rest of a sentence that begins with its name). */
export type QueryAnswer = { readonly value: number } | { readonly problem: string };

/** What `{{...}}` stands for in a query. */
export type QueryNames = Readonly<Record<'namespace' | 'instance' | 'revision' | 'stable', string | number>>;

const limits = { timeoutMs: 5_000, maxBytes: 1024 * 1024 };

/** The query with `{{namespace}}`, `{{instance}}`, `{{revision}}` and `{{stable}}` replaced; other braces stay. */
export function fillQuery(query: string, names: QueryNames): string {
  return query.replace(/\{\{\s*(namespace|instance|revision|stable)\s*\}\}/g, (_, name: keyof QueryNames) =>
    String(names[name]),
  );
}

/**
 * One instant query (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). Rejects when the
 * Prometheus cannot be reached within 5 s, or answers with anything but a result.
 */
export async function queryPrometheus(
  address: string,
  query: string,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const url = new URL(`${address.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { status, body } = await getBody(urlToHttpOptions(url), limits, signal);
  if (status !== 200)
    throw new Error(`it answered ${status}${status === 400 ? ': the query is not PromQL' : ''}`);
  if (body === undefined) throw new Error('its answer is larger than 1 MB');
  return readResult(body);
}

/** Reads the answer to an instant query. Throws for what is none. */
function readResult(body: string): QueryAnswer {
  const data = resultOf(body);
  if (data?.resultType === 'scalar') return numberOf(data.result);
  if (data?.resultType !== 'vector' || !Array.isArray(data.result))
    throw new Error('its answer is no vector');
  const [first, ...others] = data.result as readonly { readonly value?: unknown }[];
  if (first === undefined) return { problem: 'gives no number' };
  if (others.length > 0) return { problem: `gives ${others.length + 1} numbers instead of one` };
  return numberOf(first.value);
}

function resultOf(body: string): { readonly resultType?: unknown; readonly result?: unknown } | undefined {
  try {
    const answer = JSON.parse(body) as { readonly data?: { readonly resultType?: unknown } } | null;
    return answer?.data;
  } catch {
    throw new Error('its answer is no JSON');
  }
}

// A sample is [seconds since the epoch, "text of the number"], with +Inf, -Inf and NaN as Go writes them.
function numberOf(sample: unknown): QueryAnswer {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  if (text === '+Inf' || text === '-Inf') return { value: text === '+Inf' ? Infinity : -Infinity };
  const value = typeof text === 'string' ? Number(text) : NaN;
  return Number.isNaN(value) ? { problem: 'gives NaN' } : { value };
}
