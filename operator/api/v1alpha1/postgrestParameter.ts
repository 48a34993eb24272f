/** What a parameter takes. */
export type ParameterType =
  | { readonly kind: 'boolean' }
  /** A whole number within bounds; with `seconds` it is a time. */
  | { readonly kind: 'whole'; readonly min: number; readonly max: number; readonly seconds?: true }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  /** Names with commas between them. */
  | { readonly kind: 'list' }
  | { readonly kind: 'text' };

/** A parameter of PostgREST, as its documentation names it. */
export interface PostgrestParameter {
  readonly name: string;
  readonly type: ParameterType;
  /** What PostgREST takes where nobody says otherwise; absent: nothing, or what another parameter says. */
  readonly default?: string;
  /** The first version that knows it, where that is not 12.0. */
  readonly since?: string;
  /** The last version that knows it, where that is not the newest. */
  readonly until?: string;
  /**
   * What a change takes: PostgREST reads it anew when its configuration is reloaded, in every version that knows it, or
   * new pods have to.
   */
  readonly change: 'reload' | 'pods';
  /** What it does, in a sentence. */
  readonly means: string;
  /** Why only the operator may set it. */
  readonly owned?: string;
  /** What the operator has PostgREST take instead of the default, and when. */
  readonly chosen?: string;
}
