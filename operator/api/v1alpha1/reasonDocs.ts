import { instanceReasonDocs } from './instanceReasonDocs.ts';
import type { ReasonDoc } from './reasonDoc.ts';
import type { Reason } from './reasons.ts';

/** Every reason explained: the tables of docs/reference are made from this, and docs/runbooks is held against it. */
export const reasonDocs = {
  InvalidSpec: {
    kind: 'Both',
    means: 'The spec breaks a rule that the API server did not check when it was stored.',
    action: 'Correct the field that the message names and apply the object again.',
  },
  Suspended: {
    kind: 'Both',
    means: 'spec.suspend is true: nothing is changed, and what serves goes on serving.',
    action: null,
  },
  SecretNotFound: {
    kind: 'Both',
    means: 'A Secret that the spec names is not there, or has no such key.',
    action: 'Create the Secret with the key that the message names, or correct the reference.',
  },
  SecretInvalid: {
    kind: 'Both',
    means:
      'A Secret is there, but what is in it cannot be used: it is no URI, or PostgreSQL refuses its credentials.',
    action: 'Put a correct value into the key that the message names.',
  },
  DatabaseUnreachable: {
    kind: 'Both',
    means: 'No connection to the database could be made, or it broke; it is tried again with growing pauses.',
    action: 'Bring the database up, or correct host and port in the Secret.',
  },
  Reconciling: {
    kind: 'Both',
    means: 'Nothing special: the operator is at work or has nothing to say.',
    action: null,
  },
  Deleting: { kind: 'Both', means: 'The object is being deleted and is cleaned up after.', action: null },

  ConfigMapNotFound: {
    kind: 'ApiSchema',
    means: 'A ConfigMap that holds SQL is not there, or has no such key.',
    action: 'Create the ConfigMap with the key that the message names, or correct the reference.',
  },
  MigrationFailed: {
    kind: 'ApiSchema',
    means: 'PostgreSQL refused a statement of a migration; the whole migration was rolled back.',
    action: 'Correct the SQL of that migration and apply the object again.',
  },
  MigrationChanged: {
    kind: 'ApiSchema',
    means: 'The SQL of a migration differs from what was applied under its name.',
    action: 'Put the SQL back as it was, and make the change in a new migration.',
  },
  MigrationMissing: {
    kind: 'ApiSchema',
    means: 'A migration that was applied is no longer in spec.migrations.',
    action: 'Put it back, unchanged.',
  },
  MigrationOrderChanged: {
    kind: 'ApiSchema',
    means:
      'The applied migrations are not the first ones of spec.migrations, in the order in which they ran.',
    action: 'Restore the order, and add new migrations at the end.',
  },
  ApiBuildFailed: {
    kind: 'ApiSchema',
    means:
      'PostgreSQL refused a statement of the API SQL; the build was rolled back, the newest release goes on serving.',
    action: 'Correct the API SQL and apply the object again.',
  },
  ApiSqlRefused: {
    kind: 'ApiSchema',
    means: 'The API SQL does something that belongs into a migration, such as creating a table or a policy.',
    action: 'Move the statement that the message names into a migration.',
  },
  LedgerNewer: {
    kind: 'ApiSchema',
    means: 'The ledger in the database was written by a newer operator.',
    action: 'Upgrade the operator.',
  },
  SchemaClaimed: {
    kind: 'ApiSchema',
    means:
      'The database, or the schema in it, belongs to another ApiSchema or another cluster, or the database is a copy.',
    action: 'Use another database or schema, or hand the claim over as the message says.',
  },
  LockHeld: {
    kind: 'ApiSchema',
    means:
      'Another session holds the lock on the database that only one operator may have, or a lock that a statement needs; the operator waits, or tries again with growing pauses.',
    action: 'When it does not end by itself: find the session that holds the lock, and end it.',
  },
  MigrationNeedsIdempotent: {
    kind: 'ApiSchema',
    means:
      'A statement runs outside of transactions only, and the catalog cannot tell whether it was completed when its run was interrupted.',
    action: 'When it may be run again without harm, set idempotent: true on its migration; else take it out.',
  },
  BaselineRefused: {
    kind: 'ApiSchema',
    means: 'spec.baseline cannot be recorded: there is no such migration, or the ledger already has others.',
    action: 'Correct or remove spec.baseline.',
  },
  WaitingForDependency: {
    kind: 'ApiSchema',
    means: 'An ApiSchema in spec.dependsOn has not been applied yet.',
    action: 'See why in the conditions of the ApiSchema that the message names.',
  },
  BeforeMigrationRunning: {
    kind: 'ApiSchema',
    means: 'The Job of spec.beforeMigration runs; nothing is migrated before it has succeeded.',
    action: null,
  },
  BeforeMigrationFailed: {
    kind: 'ApiSchema',
    means: 'The Job of spec.beforeMigration failed; nothing was migrated.',
    action: 'Mend what its log shows, then delete the Job: it is created anew.',
  },
  RoleRefused: {
    kind: 'ApiSchema',
    means: 'A role of spec.roles could not be made what the spec says.',
    action: 'Run what the message says as an administrator of the server, or correct spec.roles.',
  },
  SecretNameTaken: {
    kind: 'ApiSchema',
    means: 'Another ApiSchema over the same database has a secret of the same name.',
    action: 'Choose another name in spec.secrets.',
  },
  LintFailed: {
    kind: 'ApiSchema',
    means: 'The lint found a danger in SQL that was about to run; nothing was run.',
    action: 'Change the SQL as the finding says, or ignore its rule with a reason.',
  },
  LintWarnings: {
    kind: 'ApiSchema',
    means: 'The lint found something in the newest SQL that is worth a look, and let it pass.',
    action: null,
  },
  LintClean: { kind: 'ApiSchema', means: 'The lint found nothing in the newest SQL.', action: null },
  TestsFailed: {
    kind: 'ApiSchema',
    means: 'pgTAP tests failed on the build; it was rolled back, the newest release goes on serving.',
    action: 'Look at status.tests.lines, and correct the API SQL, a migration or the test.',
  },
  BreakingChange: {
    kind: 'Both',
    means:
      'The build, or the candidate, takes something away from clients, and spec.breaking (of an ApiInstance: spec.rollout.breaking) asks for approval.',
    action:
      'Look at status.changes (of an ApiInstance: status.breaking), then approve, or correct the API SQL.',
  },
  DriftDetected: {
    kind: 'ApiSchema',
    means: 'Somebody else has changed a release, its grants or the ledger in the database.',
    action: 'Undo the change that the message names, or publish a new release.',
  },
  NoDrift: { kind: 'ApiSchema', means: 'Releases and ledger are as the operator left them.', action: null },
  NotCompared: { kind: 'ApiSchema', means: 'Releases and ledger have not been compared.', action: null },
  NoContraction: { kind: 'ApiSchema', means: 'No contraction of the spec is left to be run.', action: null },
  AwaitingApproval: {
    kind: 'ApiSchema',
    means: 'A contraction could run and waits for approval; the message names the revisions that it ends.',
    action: 'Approve it, when nobody needs to roll back to those revisions any more.',
  },
  ReleasesInUse: {
    kind: 'ApiSchema',
    means: 'A contraction removes what a release needs that has traffic.',
    action: 'Roll out a release that does without it; the contraction waits.',
  },
  EndingReleases: {
    kind: 'ApiSchema',
    means: 'A contraction was approved, and the revisions that it ends are leaving the rollback window.',
    action: null,
  },
  Contracting: { kind: 'ApiSchema', means: 'A contraction runs.', action: null },
  ContractionFailed: {
    kind: 'ApiSchema',
    means: 'PostgreSQL refuses a contraction; nothing of it is in the database.',
    action: 'Correct its SQL, or what the message names.',
  },
  Planned: { kind: 'ApiSchema', means: 'status.plan shows what would run.', action: null },
  ReleasesDropped: {
    kind: 'ApiSchema',
    means: 'Releases that no kept revision uses were dropped.',
    action: null,
  },
  Applying: {
    kind: 'ApiSchema',
    means: 'Migrations are being applied, or a release is being built.',
    action: null,
  },
  Applied: { kind: 'ApiSchema', means: 'The database is what the spec says.', action: null },
  NamesNotMapped: {
    kind: 'ApiSchema',
    means:
      'A function of a new release names the exposed schema inside a string constant or dynamic SQL, where it cannot be mapped to the release with certainty; it was left as it is.',
    action:
      'Look at the places that the Event names: write the name outside of strings, or leave the schema out.',
  },
  ReleasePublished: {
    kind: 'ApiSchema',
    means: 'A new release is there for instances to serve.',
    action: null,
  },
  InUse: {
    kind: 'ApiSchema',
    means: 'The releases cannot be dropped, because something still uses them.',
    action: 'Remove what the message names.',
  },
  NotServedYet: {
    kind: 'ApiSchema',
    means:
      'An instance that follows this schema does not serve the newest release yet; its own conditions say why.',
    action: null,
  },
  Served: {
    kind: 'ApiSchema',
    means: 'Every instance that follows this schema serves the newest release.',
    action: null,
  },
  NoInstances: { kind: 'ApiSchema', means: 'No ApiInstance follows this schema.', action: null },
  ...instanceReasonDocs,
  ActionRefused: {
    kind: 'Both',
    means: 'What the annotation pgrst.dev/action asked for makes no sense now; nothing was changed.',
    action: 'Read the Event, and ask for something that is possible.',
  },
  ActionAccepted: {
    kind: 'Both',
    means: 'What the annotation pgrst.dev/action asked for is being carried out.',
    action: null,
  },
} as const satisfies Record<Reason, ReasonDoc>;
