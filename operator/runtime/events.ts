import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { timeout } from './delay.ts';
import type { KubeClient } from './kubeClient.ts';
import { isNotFound } from './kubeError.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { EventNote } from './reconciler.ts';

/** The object an Event is about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
}

/**
 * Writes Events (events.k8s.io/v1).
 *
 * Guarantees: the same note about the same object within six minutes is one Event whose `series.count` grows; Events of
 * one recorder are written in order, one at a time; nothing is ever thrown, and a flood is cut at 1000 waiting notes.
 */
export interface EventRecorder {
  /** Returns at once; an Event that cannot be written is logged and lost. */
  record(regarding: Regarding, note: EventNote): void;
  /** Resolves when everything recorded so far was written or given up. */
  flush(): Promise<void>;
}

/** What `createEventRecorder` takes. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who reports, such as `pgrst.dev/postgrest-operator`. */
  readonly reportingController: string;
  /** Which copy of it: the pod's name. At most 128 characters. */
  readonly reportingInstance: string;
}

const seriesMs = 6 * 60_000; // As client-go's and kube-rs's recorders.
const maxCached = 1_000;
const maxWaiting = 1_000;
const writeTimeoutMs = 10_000;
const noteMaxBytes = 1_024; // The API server refuses longer notes (UTF-8).

/** A recorder with an empty cache. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log } = options;
  const series = new Map<string, { readonly ref: ObjectRef; count: number; lastMs: number }>();
  let tail = Promise.resolve();
  let waiting = 0;
  let recorded = 0;

  async function write(regarding: Regarding, note: EventNote, signal: AbortSignal): Promise<void> {
    const key = seriesKey(regarding, note);
    const known = series.get(key);
    if (known !== undefined && clock.now() - known.lastMs < seriesMs) {
      known.count += 1;
      known.lastMs = clock.now();
      const body = { series: { count: known.count, lastObservedTime: microTime(clock) } };
      try {
        await client.patch(known.ref, { type: 'merge', body }, signal);
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error; // Events expire (an hour by default): begin a new series.
      }
    }
    const created = await client.create(eventOf(regarding, note), signal);
    remember(key, {
      apiVersion: created.apiVersion,
      kind: created.kind,
      namespace: namespaceOf(regarding),
      name: created.metadata.name,
    });
  }

  function eventOf(regarding: Regarding, { type, reason, note }: EventNote): KubeObject {
    const { apiVersion, kind, metadata } = regarding;
    recorded += 1;
    // Unique without randomness: what it is about, when, and which one of this process.
    const unique = createHash('sha256')
      .update(`${options.reportingInstance} ${String(clock.now())} ${String(recorded)}`)
      .digest('hex')
      .slice(0, 16);
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${metadata.name.slice(0, 200)}.${unique}`, namespace: namespaceOf(regarding) },
      type,
      reason,
      note: bounded(note),
      action: reason,
      eventTime: microTime(clock),
      reportingController: options.reportingController,
      reportingInstance: options.reportingInstance.slice(0, 128),
      regarding: {
        apiVersion,
        kind,
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      },
    };
  }

  function remember(key: string, ref: ObjectRef): void {
    series.delete(key);
    series.set(key, { ref, count: 1, lastMs: clock.now() });
    for (const oldest of series.keys()) {
      if (series.size <= maxCached) break;
      series.delete(oldest);
    }
  }

  async function attempt(regarding: Regarding, note: EventNote): Promise<void> {
    const late = timeout(clock, writeTimeoutMs, 'the Event could not be written in time');
    try {
      await write(regarding, note, late.signal);
    } catch (error) {
      log.warn({ err: error, reason: note.reason }, 'an Event could not be written');
    } finally {
      late.cancel();
      waiting -= 1;
    }
  }

  return {
    record(regarding, note) {
      if (waiting >= maxWaiting) {
        log.warn({ reason: note.reason }, 'too many Events wait to be written: this one is dropped');
        return;
      }
      waiting += 1;
      tail = tail.then(() => attempt(regarding, note));
    },
    flush: () => tail,
  };
}

/** As much of the text as a note can hold; no character is cut in two. */
function bounded(text: string): string {
  if (Buffer.byteLength(text) <= noteMaxBytes) return text;
  // A character that was cut in two decodes to U+FFFD.
  const kept = Buffer.from(text)
    .subarray(0, noteMaxBytes - 3)
    .toString();
  return `${kept.replace(/\uFFFD+$/, '')}...`;
}

function seriesKey({ kind, metadata }: Regarding, { type, reason, note }: EventNote): string {
  return JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid, type, reason, note]);
}

/** Events about cluster-scoped objects live in `default`, as everywhere in Kubernetes. */
function namespaceOf({ metadata }: Regarding): string {
  return metadata.namespace ?? 'default';
}

/** metav1.MicroTime: RFC 3339 with six digits. */
function microTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace('Z', '000Z');
}
