/** A condition type of a kind, for docs/reference. */
export interface ConditionDoc {
  readonly type: string;
  /** One sentence: what is so while its status is True. */
  readonly whenTrue: string;
}

/** The condition types of an ApiSchema. */
export const apiSchemaConditions: readonly ConditionDoc[] = [
  {
    type: 'Ready',
    whenTrue: 'The database is what the spec says: all migrations applied, the newest release published.',
  },
  {
    type: 'Applied',
    whenTrue: 'All migrations of the spec are in the ledger, and its API SQL is published as a release.',
  },
  {
    type: 'Served',
    whenTrue: 'Every ApiInstance that follows this schema serves the newest release, or none follows it.',
  },
  { type: 'LintPassed', whenTrue: 'The lint found nothing in the newest SQL that keeps it from being run.' },
  { type: 'Drifted', whenTrue: 'Somebody else has changed releases, grants or the ledger.' },
  { type: 'ContractionPending', whenTrue: 'A contraction of the spec has not run yet.' },
  { type: 'Stalled', whenTrue: 'Somebody has to act: the operator will not get further by itself.' },
];

/** The condition types of an ApiInstance. */
export const apiInstanceConditions: readonly ConditionDoc[] = [
  { type: 'Available', whenTrue: 'Clients are served, by whatever revision.' },
  { type: 'Ready', whenTrue: 'What serves is what the spec says.' },
  { type: 'Progressing', whenTrue: 'A rollout runs, or a way back.' },
  {
    type: 'Paused',
    whenTrue:
      'The rollout holds its weight: for a time, until somebody promotes, or because somebody has said pause.',
  },
  {
    type: 'TrafficProved',
    whenTrue: 'Responses through every ingress replica show that traffic goes where the objects say.',
  },
  { type: 'SchemaCacheProved', whenTrue: 'Every pod was seen to have loaded the release that it serves.' },
  {
    type: 'ConnectionBudget',
    whenTrue: 'The database has room for the connections of a rollout; the message shows the sum.',
  },
  { type: 'RollbackSafe', whenTrue: 'There is a revision to roll back to; the message names all of them.' },
  {
    type: 'Degraded',
    whenTrue: 'Clients are served worse than they should be, or a check has sent the newest revision back.',
  },
  { type: 'Stalled', whenTrue: 'Somebody has to act: the operator will not get further by itself.' },
  {
    type: 'PoolerReady',
    whenTrue:
      'Every PgBouncer pod was seen to have the newest limits and configuration. There only with spec.pooler.',
  },
];
