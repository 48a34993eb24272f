import type { Parcel } from './parcels.ts';

/** What the operator's thread says to the SQL thread. */
export type Question =
  /** A piece of `[operation, arguments]`. */
  | { readonly kind: 'parcel'; readonly parcel: Parcel }
  /** All pieces are there: run it. */
  | { readonly kind: 'run' }
  /** The last piece of the result has arrived: send the next one. */
  | { readonly kind: 'more' };

/** What the SQL thread answers. */
export type Answer =
  /** A piece of the result; the next one waits for `more`. */
  | { readonly kind: 'parcel'; readonly parcel: Parcel }
  /** There was no more. `isSpent`: the parser has broken on it, and the thread with it. */
  | { readonly kind: 'done'; readonly isSpent: boolean }
  /** The operation threw an Error with this message. */
  | { readonly kind: 'failed'; readonly message: string; readonly isSpent: boolean };
