/**
 * Expected failures are `TwofoldError`s with a code from a closed set; broken invariants stop the process.
 *
 * The code is what programs act on, the message is for a person and says what to do, the cause stays in the log of
 * the process where it happened and never crosses the network.
 */

export const errorCodes = [
  /** The request is malformed; sending it again will fail again. */
  'invalid-argument',
  /** More than one thing matches what was asked for. */
  'ambiguous',
  /** It does not exist. Only a definite absence is this; a disk that cannot be read is `io`. */
  'not-found',
  /** Somebody else has the name. */
  'already-exists',
  /** The state of the cluster forbids it; repeating does not help. */
  'failed-precondition',
  /** The session is over: committed, given up, or its lease ran out. */
  'session-ended',
  /** A snapshot or tree refers to chunks that are not committed with enough copies. */
  'missing-chunks',
  /** The node must register before it goes on. */
  'not-registered',
  /** A newer generation, registration or epoch is known. */
  'fenced',
  /** The store takes no writes: it lost its lease, its disk failed, or it was told so. */
  'read-only',
  /** A forged, expired or foreign ticket, receipt or session token. */
  'permission-denied',
  /** Fewer nodes than `min copies` can take the data. */
  'not-enough-nodes',
  /** No storage node has room. */
  'no-room',
  /** A limit on what may be in progress at once is reached; waiting helps. */
  'overloaded',
  /** The other side cannot be reached, or went away in the middle: the outcome is unknown. */
  'unavailable',
  /** No answer in time: the outcome is unknown. */
  'deadline-exceeded',
  /** Bytes do not match their hash, or a format is broken. Never retried on the same copy. */
  'integrity',
  /** A range beyond the end. */
  'out-of-range',
  /** The caller gave up. */
  'cancelled',
  /** The disk or the file system failed (EIO, EACCES, EROFS …). */
  'io',
  /** A newer version of a format or protocol than this program knows. */
  'unsupported',
  /** Something the program did not expect. */
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface ErrorOptions {
  readonly cause?: unknown
  /** Names and values that belong to the failure; they cross the network. */
  readonly fields?: Readonly<Record<string, string>>
  /** How long to wait before trying again, in milliseconds; absent when waiting does not help. */
  readonly retryAfterMs?: number
}

export class TwofoldError extends Error {
  override readonly name = 'TwofoldError'
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, string>>
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? {}
    this.retryAfterMs = options.retryAfterMs
  }
}

export function isTwofoldError(error: unknown, ...codes: ErrorCode[]): error is TwofoldError {
  return error instanceof TwofoldError && (codes.length === 0 || codes.includes(error.code))
}

/** The error as it is when it is ours, `cancelled` for an abort, otherwise `internal` with the original as cause. */
export function toTwofoldError(error: unknown): TwofoldError {
  if (error instanceof TwofoldError) return error
  if (error instanceof Error && error.name === 'AbortError') {
    return new TwofoldError('cancelled', 'cancelled', { cause: error })
  }
  return new TwofoldError('internal', 'something unexpected failed; the log of the process has the details', {
    cause: error,
  })
}

/** What to print of an error's message, with its causes, for logs. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`
}

/** A broken invariant: the program is wrong, and going on could lose data. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${String(value)}`)
}
