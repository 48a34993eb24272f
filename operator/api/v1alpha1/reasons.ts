/**
 * Every reason that a condition, an Event or a metric of ours can carry: one catalogue, so that a word a person greps
 * for is found here and in docs/runbooks, which has a page for each that asks somebody to act.
 */
export const reasons = {
  // Common to both kinds
  InvalidSpec: 'InvalidSpec',
  Suspended: 'Suspended',
  SecretNotFound: 'SecretNotFound',
  SecretInvalid: 'SecretInvalid',
  DatabaseUnreachable: 'DatabaseUnreachable',
  Reconciling: 'Reconciling',
  Deleting: 'Deleting',

  // ApiSchema
  ConfigMapNotFound: 'ConfigMapNotFound',
  MigrationFailed: 'MigrationFailed',
  MigrationChanged: 'MigrationChanged',
  MigrationMissing: 'MigrationMissing',
  MigrationOrderChanged: 'MigrationOrderChanged',
  MigrationNeedsNoTransaction: 'MigrationNeedsNoTransaction',
  ApiBuildFailed: 'ApiBuildFailed',
  ApiSqlRefused: 'ApiSqlRefused',
  LedgerNewer: 'LedgerNewer',
  SchemaClaimed: 'SchemaClaimed',
  LockHeld: 'LockHeld',
  Applying: 'Applying',
  Applied: 'Applied',
  ReleasePublished: 'ReleasePublished',
  NamesNotMapped: 'NamesNotMapped',
  InUse: 'InUse',
  NotServedYet: 'NotServedYet',
  Served: 'Served',
  NoInstances: 'NoInstances',

  // ApiInstance
  SchemaNotFound: 'SchemaNotFound',
  SchemaNotReady: 'SchemaNotReady',
  ReleaseNotFound: 'ReleaseNotFound',
  NameConflict: 'NameConflict',
  PoolerNotReady: 'PoolerNotReady',
  ScalingUp: 'ScalingUp',
  ProvingPods: 'ProvingPods',
  ProvingTraffic: 'ProvingTraffic',
  IngressUnreachable: 'IngressUnreachable',
  StepPaused: 'StepPaused',
  ShiftingTraffic: 'ShiftingTraffic',
  Promoting: 'Promoting',
  RolloutComplete: 'RolloutComplete',
  RolledBack: 'RolledBack',
  Aborted: 'Aborted',
  Superseded: 'Superseded',
  Proved: 'Proved',
  NoReadyPods: 'NoReadyPods',
  ServingClients: 'ServingClients',
  ActionRefused: 'ActionRefused',
  ActionAccepted: 'ActionAccepted',
} as const;
/** A word of `reasons`. */
export type Reason = keyof typeof reasons;
