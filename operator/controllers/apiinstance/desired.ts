import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import {
  contentHash,
  revisionContent,
  type RevisionContent,
  type RevisionSnapshot,
} from '../../resources/revision.ts';
import { changeBetween } from '../../resources/settingsChange.ts';
import type { World } from './world.ts';

/** A revision that has no ControllerRevision yet. */
export interface NewRevision extends Pick<RevisionSnapshot, 'number' | 'content'> {
  readonly workload: number;
  /** The revision in whose pods it is to run; absent: it gets pods of its own. */
  readonly host?: RevisionSnapshot;
}

/** The revision of the spec: one that is kept, or the next number. */
export interface Desired {
  readonly number: number;
  readonly hash: string;
  readonly release: string;
  readonly revision: RevisionSnapshot | NewRevision;
}

/** The revision whose content the spec describes; undefined while there is nothing to serve. */
export function desiredRevision(world: World, spec: ApiInstanceSpec): Desired | undefined {
  const pinned = spec.schemaRef.release;
  const release =
    pinned === undefined
      ? world.schema?.newest
      : world.schema?.releases.find((candidate) => candidate.id === pinned);
  if (!release || !world.schema) return undefined;
  const content = revisionContent({
    spec,
    exposedSchema: world.schema.exposedSchema,
    release: { id: release.id, schema: release.schema },
    images: world.images,
  });
  const hash = contentHash(content);
  const existing = world.revisions.find((revision) => revision.hash === hash);
  const number = existing?.number ?? nextNumber(world);
  return { number, hash, release: release.id, revision: existing ?? newRevision(world, number, content) };
}

function newRevision(world: World, number: number, content: RevisionContent): NewRevision {
  const host = hostOf(world, content);
  return host?.workload === undefined
    ? { number, content, workload: number }
    : { number, content: withImagesOf(host, content), workload: host.workload, host };
}

/** Its pods are those of the host, whatever an operator that was upgraded meanwhile would take by default. */
function withImagesOf({ content: host }: RevisionSnapshot, content: RevisionContent): RevisionContent {
  const { gate, postgrest } = host;
  return { ...content, gate, postgrest: { ...content.postgrest, image: postgrest.image } };
}

/** The revision that serves, if its pods need only be told to become this content. */
function hostOf({ revisions, route, status }: World, content: RevisionContent): RevisionSnapshot | undefined {
  const serving = revisions.find(({ number }) => number === route.main);
  if (serving?.workload === undefined) return undefined;
  // Without PostgREST's version nobody can see which settings it has.
  if (status.stable?.version === undefined) return undefined;
  return changeBetween(serving.content, content).effect === 'Reload' ? serving : undefined;
}

/**
 * Numbers are never used again, not even those of revisions that are long gone. A candidate that has no snapshot was
 * never made: its number is still free.
 */
function nextNumber({ revisions, status }: World): number {
  const used = [
    ...revisions.map(({ number }) => number),
    status.stable?.revision ?? 0,
    ...(status.history ?? []).map(({ revision }) => revision),
    ...(status.rejected ?? []).map(({ revision }) => revision),
  ];
  return Math.max(0, ...used) + 1;
}
