import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createFakeKube } from '../testing/fakeKube.ts';
import { capturingLog } from '../testing/quietLog.ts';
import { createEventRecorder } from './events.ts';
import type { KubeClient } from './kubeClient.ts';
import type { EventNote } from './reconciler.ts';

const regarding = {
  apiVersion: 'pgrst.dev/v1alpha1',
  kind: 'ApiInstance',
  metadata: { namespace: 'shop', name: 'todo', uid: 'u1' },
};
const note: EventNote = { type: 'Warning', reason: 'ReleaseNotFound', note: 'There is no release 0a1b2c3d.' };

function setUp(change: (client: KubeClient) => Partial<KubeClient> = () => ({})) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const { log, lines } = capturingLog();
  const recorder = createEventRecorder({
    client: { ...kube.client, ...change(kube.client) },
    clock,
    log,
    reportingController: 'pgrst.dev/postgrest-operator',
    reportingInstance: 'operator-0',
  });
  const events = () => kube.all('Event');
  return { clock, kube, lines, recorder, events };
}

describe('event recorder', () => {
  test('writes what events.k8s.io/v1 asks for', async () => {
    const { recorder, events } = setUp();
    recorder.record(regarding, note);
    await recorder.flush();
    expect(events()).toHaveLength(1);
    expect(events()[0]).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      metadata: { namespace: 'shop' },
      ...note,
      action: 'ReleaseNotFound',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'pgrst.dev/postgrest-operator',
      reportingInstance: 'operator-0',
      regarding: { kind: 'ApiInstance', namespace: 'shop', name: 'todo', uid: 'u1' },
    });
  });

  test('the same note within six minutes is one Event with a growing series', async () => {
    const { clock, recorder, events } = setUp();
    for (let i = 0; i < 3; i += 1) {
      recorder.record(regarding, note);
      await recorder.flush();
      await clock.advance(5 * 60_000);
    }
    expect(events().map(({ series }) => series)).toEqual([
      { count: 3, lastObservedTime: '2026-01-01T00:10:00.000000Z' },
    ]);
    await clock.advance(6 * 60_000);
    recorder.record(regarding, note);
    await recorder.flush();
    expect(events()).toHaveLength(2);
  });

  test('another note, reason, or object (a namesake too) is an Event of its own', async () => {
    const { recorder, events } = setUp();
    recorder.record(regarding, note);
    recorder.record(regarding, { ...note, note: 'Other.' });
    recorder.record(regarding, { ...note, reason: 'Other' });
    recorder.record({ ...regarding, metadata: { ...regarding.metadata, uid: 'u2' } }, note);
    await recorder.flush();
    expect(events()).toHaveLength(4);
  });

  test('a series whose Event has expired begins anew', async () => {
    const { kube, recorder, events } = setUp();
    recorder.record(regarding, note);
    await recorder.flush();
    for (const { apiVersion, kind, metadata } of events()) kube.remove({ apiVersion, kind, ...metadata });
    recorder.record(regarding, note);
    await recorder.flush();
    expect(events()).toHaveLength(1);
  });

  test('long notes are cut to what the API server takes', async () => {
    const { recorder, events } = setUp();
    recorder.record(regarding, { ...note, note: 'x'.repeat(5000) });
    await recorder.flush();
    expect(events()[0]?.note).toHaveLength(1024);
  });

  test('a note is cut by its bytes, and between characters', async () => {
    const { recorder, events } = setUp();
    recorder.record(regarding, { ...note, note: `x${'ü'.repeat(800)}` });
    await recorder.flush();
    const written = String(events()[0]?.note);
    expect(Buffer.byteLength(written)).toBeLessThanOrEqual(1024);
    expect(written).toBe(`x${'ü'.repeat(510)}...`);
  });

  test('an Event that cannot be written is logged, and the next one is tried', async () => {
    let fails = true;
    const { recorder, events, lines } = setUp((client) => ({
      create: (...args) => (fails ? Promise.reject(new Error('no')) : client.create(...args)),
    }));
    recorder.record(regarding, note);
    await recorder.flush();
    fails = false;
    recorder.record(regarding, note);
    await recorder.flush();
    expect(lines).toHaveLength(1);
    expect(events()).toHaveLength(1);
  });

  test('a server that does not answer costs ten seconds each, and a flood is cut', async () => {
    const { clock, recorder, lines } = setUp(() => ({
      create: (_object, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    }));
    for (let i = 0; i < 1005; i += 1) recorder.record(regarding, { ...note, note: String(i) });
    expect(lines).toHaveLength(5);
    await clock.advance(10_000);
    expect(lines).toHaveLength(6);
  });
});
