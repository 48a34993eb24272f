import { describe, expect, test } from 'vitest';
import type { ObjectMeta } from '../../api/v1alpha1/shared.ts';
import { KubeError } from '../../runtime/kubeError.ts';
import { createFakeKube } from '../../testing/fakeKube.ts';
import { apiSchema } from '../../testing/schemaWorld.ts';
import { beforeJob, createJob } from './jobOrder.ts';

const template = { spec: { template: { spec: { containers: [{ name: 'backup', image: 'backup:1' }] } } } };
const { signal } = new AbortController();
const jobOf = (metadata: Partial<ObjectMeta> = {}, names: readonly string[] = ['001']) =>
  beforeJob({ ...apiSchema().metadata, ...metadata }, template, { hash: 'abcdef0123456789', names }, 'api');

describe('the name of the Job', () => {
  const long = 'a-name-of-more-than-forty-characters-which-is-long';
  test.each<[string, Partial<ObjectMeta>, Partial<ObjectMeta>]>([
    ['of an ApiSchema that was made anew', { uid: 'uid-1' }, { uid: 'uid-2' }],
    [
      'of ApiSchemas whose names begin alike',
      { name: `${long}-a`, uid: 'uid-1' },
      { name: `${long}-b`, uid: 'uid-2' },
    ],
  ])('%s is another', (_name, one, other) => {
    expect(jobOf(one).metadata.name).not.toBe(jobOf(other).metadata.name);
    expect(jobOf(one).metadata.name).toBe(jobOf(one).metadata.name);
    expect(jobOf(one).metadata.name.length).toBeLessThanOrEqual(63);
  });
});

describe('the pending migrations in the environment', () => {
  const pendingOf = (names: readonly string[]) =>
    /"PGRST_PENDING","value":"([^"]*)"/.exec(JSON.stringify(jobOf({}, names)))?.[1];
  test('are all there while they are not many', () => {
    expect(pendingOf(['001', '002'])).toBe('001,002');
    const names = Array.from({ length: 100 }, (_, index) => String(index));
    expect(pendingOf(names)).toBe(names.join(','));
  });
  test('are short enough for a process to start, however many they are', () => {
    const text = pendingOf(Array.from({ length: 5_000 }, () => 'n'.repeat(128)));
    expect(text).toMatch(/n, and 4900 more$/);
    expect(text?.length).toBeLessThan(131_072);
  });
});

describe('a Job whose name is taken', () => {
  test('by itself is created', async () => {
    const { client } = createFakeKube();
    expect(await createJob(jobOf(), client, signal)).toEqual({ kind: 'created' });
    expect(await createJob(jobOf(), client, signal)).toEqual({ kind: 'created' });
  });

  test.each([
    ['another ApiSchema', 'ApiSchema other (uid uid-9)', [{ name: 'other', uid: 'uid-9' }]],
    ['nobody', 'nobody', []],
  ])('by that of %s is refused, and whose it is is said', async (_name, whose, owners) => {
    const kube = createFakeKube();
    const job = jobOf();
    const ownerReferences = owners.map((owner) => ({
      apiVersion: 'pgrst.dev/v1alpha1',
      kind: 'ApiSchema',
      ...owner,
    }));
    kube.put({ ...job, metadata: { ...job.metadata, ownerReferences } });
    expect(await createJob(job, kube.client, signal)).toEqual({
      kind: 'jobRefused',
      message: `Job ${job.metadata.name} is there already and belongs to ${whose}, not to this ApiSchema. Delete it.`,
    });
  });

  test('by one that is gone again is tried again', async () => {
    const { client } = createFakeKube();
    const taken = new KubeError(409, 'AlreadyExists', 'jobs.batch "x" already exists');
    const racing = { ...client, create: () => Promise.reject(taken) };
    await expect(createJob(jobOf(), racing, signal)).rejects.toBe(taken);
  });
});

test('a template that the API server refuses comes with what to do', async () => {
  const { client } = createFakeKube();
  const refused = new KubeError(422, 'Invalid', 'spec.template: Invalid value');
  const refusing = { ...client, create: () => Promise.reject(refused) };
  expect(await createJob(jobOf(), refusing, signal)).toEqual({
    kind: 'jobRefused',
    message: 'spec.template: Invalid value. Correct spec.beforeMigration.jobTemplate.',
  });
});
