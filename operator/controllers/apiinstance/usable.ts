import type { RevisionSnapshot } from '../../resources/revision.ts';
import type { World } from './world.ts';

/** A kept revision, and whether it could serve: its release may have been ended by a contraction. */
export interface Usability {
  readonly revision: RevisionSnapshot;
  /** Its release is there and stays. */
  readonly isUsable: boolean;
  /** A contraction waits for it to go. */
  readonly isEnding: boolean;
}

/** Which of the kept revisions could serve. While the ApiSchema is not known, all of them. */
export function usability({ revisions, schema }: Pick<World, 'revisions' | 'schema'>): readonly Usability[] {
  const present = new Set(schema?.releases.map(({ id }) => id));
  return revisions.map((revision) => {
    const { id } = revision.content.release;
    const isEnding = schema?.ending.has(id) === true;
    return { revision, isEnding, isUsable: !isEnding && (schema === undefined || present.has(id)) };
  });
}
