import type { Solo, SqlName } from '../migration/runnable.ts';
import type { RelationLock } from './heldLocks.ts';

/**
 * The locks of what runs alone and cannot be tried: as PostgreSQL's pages on the commands have them. Empty where they
 * depend on what the statement meets (REINDEX, VACUUM, a procedure).
 */
export function documentedLocks(solo: Solo): readonly RelationLock[] {
  switch (solo.kind) {
    case 'createIndex':
      return [{ relation: nameText(solo.table), mode: 'ShareUpdateExclusiveLock' }];
    case 'dropIndex':
      return solo.indexes.map((index) => ({ relation: nameText(index), mode: 'ShareUpdateExclusiveLock' }));
    case 'detachPartition':
      return [
        { relation: nameText(solo.table), mode: 'ShareUpdateExclusiveLock' },
        { relation: nameText(solo.partition), mode: 'AccessExclusiveLock' },
      ];
    default:
      return [];
  }
}

function nameText({ schema, name }: SqlName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
