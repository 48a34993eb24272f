import type { KubeConfig } from '@kubernetes/client-node';
import { systemClock, type Clock } from './clock.ts';
import { createHttp, type Http, type OnRequest } from './http.ts';
import { isGone, isNotFound, KubeError } from './kubeError.ts';
import type { ApplyOptions, KubeClient, ListOptions, Selection } from './kubeClient.ts';
import { refOf, type KubeObject } from './object.ts';
import { builtInResources, resourcePath, type ResourceMappings } from './resourcePath.ts';
import { createTransport } from './transport.ts';
import { watchEvents } from './watch.ts';

/** What `createKubeClient` takes beside the KubeConfig. */
export interface KubeClientOptions {
  /** Kinds beyond `builtInResources`, such as the operator's own. */
  readonly mappings?: ResourceMappings;
  readonly onRequest?: OnRequest;
  /** Timeout of every call but the watch. Default 30 s. */
  readonly timeoutMs?: number;
  /** Of the timeouts. Default: the real one. */
  readonly clock?: Clock;
}

/** A client with its connections. */
export interface ConnectedKubeClient extends KubeClient {
  /** Closes the connections; calls that still run fail. */
  close(): Promise<void>;
}

const pageSize = 500;
const applyPatch = 'application/apply-patch+yaml'; // JSON is YAML, so the body is JSON.
const patchTypes = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };

/** A client for the current context of the KubeConfig. Throws when there is none. */
export function createKubeClient(
  kubeConfig: KubeConfig,
  options: KubeClientOptions = {},
): ConnectedKubeClient {
  const transport = createTransport(kubeConfig);
  const mappings = { ...builtInResources, ...options.mappings };
  const http = createHttp(transport, {
    clock: options.clock ?? systemClock,
    timeoutMs: options.timeoutMs ?? 30_000,
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
  });
  const pathOf = (object: KubeObject, subresource?: string): string =>
    resourcePath(mappings, { ...refOf(object), subresource });

  async function ssa(
    object: KubeObject,
    { fieldManager, force = true, dryRun = false }: ApplyOptions,
    subresource: string | undefined,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const body = await http.json({
      method: 'PATCH',
      path: pathOf(object, subresource),
      // Strict: a misspelt field is an error and not, as by default, a warning and a silent drop.
      query: { fieldManager, force, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) },
      contentType: applyPatch,
      body: object,
      signal,
    });
    return asObject(body);
  }

  return {
    async get(ref, signal) {
      try {
        return asObject(await http.json({ method: 'GET', path: resourcePath(mappings, ref), signal }));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list(selection, signal) {
      const path = resourcePath(mappings, selection);
      try {
        return await listPages(http, path, selection, selection.limit ?? pageSize, signal);
      } catch (error) {
        // The token of the next page has expired: everything in one answer, as client-go does it.
        if (isGone(error)) return await listPages(http, path, selection, undefined, signal);
        throw error;
      }
    },
    async create(object, signal) {
      const { apiVersion, kind, metadata } = object;
      const path = resourcePath(mappings, { apiVersion, kind, namespace: metadata.namespace });
      return asObject(await http.json({ method: 'POST', path, body: object, signal }));
    },
    async replace(object, signal) {
      return asObject(await http.json({ method: 'PUT', path: pathOf(object), body: object, signal }));
    },
    apply: (object, applyOptions, signal) => ssa(object, applyOptions, undefined, signal),
    applyStatus: (object, applyOptions, signal) => ssa(object, applyOptions, 'status', signal),
    async patch(ref, { type, body, subresource }, signal) {
      const path = resourcePath(mappings, { ...ref, subresource });
      return asObject(
        await http.json({ method: 'PATCH', path, contentType: patchTypes[type], body, signal }),
      );
    },
    async delete(ref, { propagation = 'Background' }, signal) {
      const body = {
        propagationPolicy: propagation,
        ...(ref.uid === undefined ? {} : { preconditions: { uid: ref.uid } }),
      };
      try {
        await http.json({ method: 'DELETE', path: resourcePath(mappings, ref), body, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    watch: (watchOptions, signal) =>
      watchEvents(http, resourcePath(mappings, watchOptions), watchOptions, signal),
    close: () => transport.close(),
  };
}

async function listPages(
  http: Http,
  path: string,
  selection: ListOptions,
  limit: number | undefined,
  signal: AbortSignal,
) {
  const items: KubeObject[] = [];
  let next: string | undefined;
  for (;;) {
    const page = (await http.json({
      method: 'GET',
      path,
      query: { ...selectors(selection), limit, continue: next },
      ...(selection.metadataOnly === true
        ? { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' }
        : {}),
      signal,
    })) as { items?: KubeObject[] | null; metadata?: { resourceVersion?: string; continue?: string } };
    // The items of a list come without apiVersion and kind (or with those of PartialObjectMetadata).
    for (const item of page.items ?? [])
      items.push({ ...item, apiVersion: selection.apiVersion, kind: selection.kind });
    next = page.metadata?.continue;
    if (next === undefined || next === '')
      return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
  }
}

function selectors(selection: Selection): Record<string, string | undefined> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}

function asObject(body: unknown): KubeObject {
  if (typeof body === 'object' && body !== null && 'metadata' in body) return body as KubeObject;
  throw new KubeError(0, 'BadResponse', 'the API server answered with something that is no object');
}
