/** Reasons of a failure that time or an administrator may heal without any change of the ApiSchema. */
export type FailureReason = 'DatabaseUnreachable' | 'SecretInvalid' | 'LockHeld';

/**
 * The run could not go on, for a reason that lies outside of the SQL; it is tried again with backoff. The message begins
 * with the reason, because it is all that reaches `observe` (`failureOf` takes it apart), and holds no secret.
 */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';

  constructor(reason: FailureReason, sentence: string, cause?: unknown) {
    super(`${reason}: ${sentence}`, cause === undefined ? undefined : { cause });
  }
}

/** Reason and sentence of the message of a failed run. */
export function failureOf(message: string): { readonly reason: FailureReason; readonly message: string } {
  const match = /^(DatabaseUnreachable|SecretInvalid|LockHeld): (.*)$/s.exec(message);
  return match === null
    ? { reason: 'DatabaseUnreachable', message }
    : { reason: match[1] as FailureReason, message: match[2] ?? '' };
}
