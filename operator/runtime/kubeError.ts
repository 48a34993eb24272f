/**
 * The API server refused a call, or could not be reached.
 *
 * The message names verb, object and the server's own words (`Status.message`), never a request body: the body of a
 * Secret must not end in a log.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when there was no HTTP answer (connection refused, reset, timeout). */
  readonly status: number;
  /** `Status.reason` (`NotFound`, `Conflict`, `AlreadyExists`, ...); ours: `Unreachable` and `Timeout` with status 0. */
  readonly reason: string;
  /** Seconds of a Retry-After header, when the server sent one. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof KubeError && error.status === status;
}

/** There is no such object (404). */
export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** Somebody was faster: resourceVersion or uid precondition failed, or the object exists already (409). */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409);
}

/** The object does not validate (422): sending it again is of no use. The message holds the server's words. */
export function isInvalid(error: unknown): error is KubeError {
  return hasStatus(error, 422);
}

/** The object is malformed (400), does not validate (422) or is forbidden (403, by admission): it would be so again. */
export function isRefused(error: unknown): error is KubeError {
  return error instanceof KubeError && [400, 403, 422].includes(error.status);
}

/** The resourceVersion of a watch or of a list page is too old (410): list anew. */
export function isGone(error: unknown): boolean {
  return hasStatus(error, 410);
}
