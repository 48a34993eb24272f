import { asKubeError, type Http } from './http.ts';
import { KubeError } from './kubeError.ts';
import type { WatchEvent, WatchOptions } from './kubeClient.ts';
import type { KubeObject } from './object.ts';

const defaultIdleTimeoutMs = 120_000; // The API server sends a bookmark about once a minute.

/**
 * The events of one watch request, as `KubeClient.watch` promises them. A connection whose other end is gone gives no
 * error, only silence; that is what the idle timeout is for.
 */
export async function* watchEvents(
  http: Http,
  path: string,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const idleMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  const idle = new AbortController();
  let cancel = (): void => undefined;
  const alive = (): void => {
    cancel();
    cancel = http.clock.after(idleMs, () => {
      idle.abort();
    });
  };
  try {
    const response = await http.stream({
      method: 'GET',
      path,
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
      },
      ...(options.metadataOnly === true
        ? { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' }
        : {}),
      signal: AbortSignal.any([signal, idle.signal]),
    });
    // An abort destroys the body, also while nobody iterates it; that must not become an uncaught error.
    response.body.on('error', () => undefined);
    alive();
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      alive();
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield parse(line, options);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw asKubeError(error, { method: 'WATCH', path, signal }, idle.signal.aborted ? idleMs : undefined);
  } finally {
    cancel();
  }
}

function parse(line: string, { apiVersion, kind }: WatchOptions): WatchEvent {
  const event = JSON.parse(line) as { type: string; object: Record<string, unknown> };
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      // With metadataOnly the server says PartialObjectMetadata; we say what was asked for.
      return { type: event.type, object: { ...event.object, apiVersion, kind } as unknown as KubeObject };
    default: {
      const { code, reason, message } = event.object;
      throw new KubeError(
        typeof code === 'number' ? code : 0,
        typeof reason === 'string' ? reason : 'WatchError',
        `WATCH ${kind}: ${typeof message === 'string' ? message : 'the server ended the watch with an error'}`,
      );
    }
  }
}
