import { request, type Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { delay, timeout } from './delay.ts';
import { KubeError } from './kubeError.ts';
import type { Transport } from './transport.ts';

/** One finished call, for the metrics. `status` 0: no HTTP answer. */
export type OnRequest = (request: { readonly method: string; readonly status: number }) => void;

/** One call. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Of the body. Default application/json. */
  readonly contentType?: string;
  /** Default application/json. */
  readonly accept?: string;
  readonly signal: AbortSignal;
}

/** HTTP against the API server: timeouts, error mapping, one retry when the server asks for it. */
export interface Http {
  readonly clock: Clock;
  /** The parsed answer; throws a KubeError for everything else. */
  json(call: Call): Promise<unknown>;
  /** The answer as it comes in, once its head says 2xx. Whoever calls bounds its time by the signal. */
  stream(call: Call): Promise<Dispatcher.ResponseData>;
}

const longestRetryAfterMs = 10_000;

/** `timeoutMs` bounds each `json` call as a whole and each `stream` call up to its head. */
export function createHttp(
  transport: Transport,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly onRequest?: OnRequest },
): Http {
  const { clock, timeoutMs } = options;

  /** Runs `work` under the caller's signal and a timeout, and turns what is not an answer into a KubeError. */
  async function within<T>(call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    call.signal.throwIfAborted();
    const late = timeout(clock, timeoutMs, 'no answer in time');
    try {
      return await work(AbortSignal.any([call.signal, late.signal]));
    } catch (error) {
      throw asKubeError(error, call, late.signal.aborted ? timeoutMs : undefined);
    } finally {
      late.cancel();
    }
  }

  async function send(call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let status = 0;
    try {
      const { dispatcher, headers } = await transport.authenticate();
      const response = await request(`${transport.server}${call.path}${queryString(call.query)}`, {
        dispatcher,
        method: call.method,
        headers: {
          ...headers,
          accept: call.accept ?? 'application/json',
          'user-agent': 'postgrest-operator',
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
      });
      status = response.statusCode;
      return response;
    } finally {
      options.onRequest?.({ method: call.method, status });
    }
  }

  async function sendOrThrow(call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await send(call, signal);
    if (response.statusCode < 300) return response;
    throw errorOf(call, response, await response.body.text());
  }

  /** The server sheds load (429, sometimes 503) and says when to come back: do so once, then it is the caller's turn. */
  async function sendWithRetry(call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await sendOrThrow(call, signal);
    } catch (error) {
      const waitMs = retryAfterMs(error);
      if (waitMs === undefined || waitMs > Math.min(longestRetryAfterMs, timeoutMs)) throw error;
      await delay(clock, waitMs, signal);
      signal.throwIfAborted();
      return await sendOrThrow(call, signal);
    }
  }

  return {
    clock,
    json: (call) =>
      within(call, async (signal) => {
        const response = await sendWithRetry(call, signal);
        return JSON.parse(await response.body.text()) as unknown;
      }),
    stream(call) {
      // The timeout ends with the head of the answer, so it aborts a signal of its own and never the stream.
      const head = new AbortController();
      return within(call, async (signal) => {
        const abort = (): void => {
          head.abort();
        };
        signal.addEventListener('abort', abort, { once: true });
        try {
          return await sendWithRetry(call, AbortSignal.any([call.signal, head.signal]));
        } finally {
          signal.removeEventListener('abort', abort);
        }
      });
    },
  };
}

function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof KubeError) || (error.status !== 429 && error.status !== 503)) return undefined;
  return error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000;
}

function queryString(query: Call['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** `metav1.Status`, as far as we read it. */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string }[] };
}

function errorOf(call: Call, response: Dispatcher.ResponseData, text: string): KubeError {
  let status: Status = {};
  try {
    status = JSON.parse(text) as Status;
  } catch {
    // A proxy or a broken server: there is no Status, the HTTP status has to do.
  }
  const reason = status.reason ?? `HTTP${String(response.statusCode)}`;
  const retryAfter = Number(response.headers['retry-after']);
  return new KubeError(
    response.statusCode,
    reason,
    `${call.method} ${call.path}: ${describe(call, status, reason)}`,
    { retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined },
  );
}

/** The server quotes values that do not validate; of a Secret only the names of the fields may be repeated. */
function describe(call: Call, status: Status, reason: string): string {
  if (!/\/secrets(\/|$)/.test(call.path) || call.body === undefined) return status.message ?? reason;
  const fields = (status.details?.causes ?? []).flatMap(({ field }) => (field === undefined ? [] : [field]));
  return fields.length === 0 ? reason : `${reason} (${fields.join(', ')})`;
}

/** What went wrong on the way, as a KubeError with status 0; the caller's own abort stays what it is. */
export function asKubeError(
  error: unknown,
  call: { readonly method: string; readonly path: string; readonly signal: AbortSignal },
  timedOutAfterMs: number | undefined,
): unknown {
  if (call.signal.aborted) return call.signal.reason;
  if (error instanceof KubeError) return error;
  const what = `${call.method} ${call.path}`;
  if (timedOutAfterMs !== undefined)
    return new KubeError(0, 'Timeout', `${what}: no answer within ${String(timedOutAfterMs)} ms`);
  if (error instanceof SyntaxError) return new KubeError(0, 'BadResponse', `${what}: the answer is not JSON`);
  const cause = error instanceof Error ? error.message || error.name : String(error);
  return new KubeError(0, 'Unreachable', `${what}: ${cause}`, { cause: error });
}
