import type { ApiDescription } from '../migration/apiDescription.ts';
import type { ApiChange } from '../migration/apiChange.ts';
import type { ContractionReading } from '../migration/contractionTargets.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import type { ReleaseSchema } from './releaseContents.ts';
import type { RelationLock } from './heldLocks.ts';
import type { StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import type { ContractionSurvey, MentionFinder } from './surveyContraction.ts';

/** SQL of one migration or contraction that is pending. */
export interface PlannedSource {
  readonly name: string;
  /** Those that have not run yet. */
  readonly statements: readonly RunnableStatement[];
}

/** What is to be planned. */
export interface PlanRequest {
  readonly exposedSchema: string;
  /** Name of the sentinel of a release. */
  readonly sentinelOf: (id: string) => string;
  /** The pending migrations, in order. */
  readonly migrations: readonly PlannedSource[];
  /** The API SQL. */
  readonly api: readonly RunnableStatement[];
  /** The release that is served, if its schema is there. */
  readonly current: ReleaseSchema | undefined;
  /** The pending contractions, in order. */
  readonly contractions: readonly (PlannedSource & ContractionReading)[];
  /** All releases whose schemas are there. */
  readonly releases: readonly ReleaseSchema[];
  /** Ids of those that clients read now: their views must not be locked, not even for a moment. */
  readonly inUse: ReadonlySet<string>;
  /**
   * What the real run does before the migrations (roles, secrets), in the transaction that is open; returns why it
   * cannot.
   */
  readonly prepare: (session: Session) => Promise<string | undefined>;
}

/** Pure functions that run in the SQL thread. */
export interface PlanTools {
  readonly findMentions: MentionFinder;
  readonly maskConstants: (statements: readonly string[]) => Promise<readonly string[]>;
  readonly diffApi: (before: ApiDescription, after: ApiDescription) => Promise<readonly ApiChange[]>;
}

/** A statement of the plan. */
export interface PlannedStatement {
  /** The migration or the contraction. */
  readonly source: string;
  readonly number: number;
  readonly line: number;
  /** Without its constants, at most 200 characters. */
  readonly text: string;
  /** On what was there before; of statements that run alone as PostgreSQL documents them. */
  readonly locks: readonly RelationLock[];
  readonly rewrites: readonly string[];
  /** False: it runs alone, outside of a transaction, and was not tried. */
  readonly transaction: boolean;
  readonly isTried: boolean;
}

/** What a contraction would come to. */
export interface PlannedContraction extends ContractionSurvey {
  readonly name: string;
  /** Statements whose effect the text does not tell. */
  readonly opaque: ContractionReading['opaque'];
  /** PostgreSQL took it, after the releases that need it were gone; false as well when it was not tried. */
  readonly fits: boolean;
}

/** What would run, and what would come of it. */
export interface RunPlan {
  readonly statements: readonly PlannedStatement[];
  /** The first failure of migrations or API SQL; it is among the problems as well. */
  readonly failure?: StatementFailure & { readonly source: string };
  /** What clients gain and lose; undefined when it did not come so far. */
  readonly api: readonly ApiChange[] | undefined;
  readonly contractions: readonly PlannedContraction[];
  /** What would stop it, or could not be tried: a sentence each. */
  readonly problems: readonly string[];
}
