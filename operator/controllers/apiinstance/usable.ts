import type { RevisionSnapshot } from '../../resources/revision.ts';
import type { World } from './world.ts';

/** A kept revision, and whether it could serve: its release may have been ended by a contraction. */
export interface Usability {
  readonly revision: RevisionSnapshot;
  /** Its release is there and stays. */
  readonly isUsable: boolean;
}

/** Which of the kept revisions could serve. While the ApiSchema is not known, all of them. */
export function usability({ revisions, schema }: Pick<World, 'revisions' | 'schema'>): readonly Usability[] {
  const present = new Set(schema?.releases.map(({ id }) => id));
  return revisions.map((revision) => {
    const { id } = revision.content.release;
    return { revision, isUsable: schema === undefined || (present.has(id) && !schema.ending.has(id)) };
  });
}

/** The numbers of those that a contraction waits for to go. */
export function endingRevisions({
  revisions,
  schema,
}: Pick<World, 'revisions' | 'schema'>): ReadonlySet<number> {
  const ending = revisions.filter(({ content }) => schema?.ending.has(content.release.id) === true);
  return new Set(ending.map(({ number }) => number));
}
