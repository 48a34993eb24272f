/** What a reconcile came to, as data. A thrown error is not among them: it always means "transient, back off". */
export type Outcome =
  /** Converged. `recheckAfterMs`: look again after that time (jittered), even when nothing changes. */
  | { readonly kind: 'settled'; readonly recheckAfterMs?: number }
  /** Progress happens elsewhere; look again after `retryAfterMs` even when no change is seen. Not an error. */
  | { readonly kind: 'waiting'; readonly on: string; readonly retryAfterMs: number }
  /** A person must act; nothing is retried until something changes (but looked at again after `recheckAfterMs`). */
  | {
      readonly kind: 'blocked';
      readonly reason: string;
      readonly message: string;
      readonly recheckAfterMs?: number;
    };
