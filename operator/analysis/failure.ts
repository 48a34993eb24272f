/** What is wrong with a text before anything of it runs. */
export interface ReadFailure {
  /** Counted from 1; absent when the text as a whole is wrong. */
  readonly statement?: number;
  /** Line in the whole text, counted from 1. */
  readonly line?: number;
  readonly message: string;
  readonly sqlstate?: string;
}
