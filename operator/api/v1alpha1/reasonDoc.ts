/** What a reason means, for docs/reference. */
export interface ReasonDoc {
  readonly kind: 'ApiSchema' | 'ApiInstance' | 'Both';
  /** One sentence: what is so. */
  readonly means: string;
  /** One sentence: what somebody has to do; docs/runbooks/<reason>.md says more. Null: nothing. */
  readonly action: string | null;
}
