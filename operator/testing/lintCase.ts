/** The texts of one set of sources; what is absent is no source. */
export interface LintTexts {
  readonly applied?: string;
  readonly migration?: string;
  readonly contraction?: string;
  readonly api?: string;
}

/** Texts in which a rule finds something or nothing. */
export interface LintCase extends LintTexts {
  /** A sentence about what is there. */
  readonly when: string;
}

/** The cases of one rule. */
export interface RuleCases {
  readonly bad: LintCase[];
  readonly good: LintCase[];
}

/** A table with row security. */
export const secured = 'create table app.tasks (id int); alter table app.tasks enable row level security;';

/** What keeps PUBLIC from executing functions. */
export const revoked = 'alter default privileges revoke execute on functions from public;';
