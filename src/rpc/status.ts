import { Metadata, status as Status } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import { InvariantError, TwofoldError, errorCodes, toTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { ErrorDetail } from '../gen/twofold/v1/common.ts'
import { encodeRetryInfo, retryTrailer, statusDetailsTrailer } from './retry-info.ts'

/** The trailer that carries `ErrorDetail`. */
export const errorTrailer = 'twofold-error-bin'

/** Text in trailers: HTTP/2 peers accept 8 KiB of headers at least, and these are several. */
const messageCharactersMax = 1024
const fieldsMax = 16
const fieldCharactersMax = 256

/** The one table: which gRPC status each code travels as. */
export const statusOfCode: Readonly<Record<ErrorCode, Status>> = {
  'invalid-argument': Status.INVALID_ARGUMENT,
  ambiguous: Status.INVALID_ARGUMENT,
  'not-found': Status.NOT_FOUND,
  'already-exists': Status.ALREADY_EXISTS,
  'failed-precondition': Status.FAILED_PRECONDITION,
  'session-ended': Status.FAILED_PRECONDITION,
  'missing-chunks': Status.FAILED_PRECONDITION,
  'not-registered': Status.FAILED_PRECONDITION,
  fenced: Status.FAILED_PRECONDITION,
  'read-only': Status.FAILED_PRECONDITION,
  'permission-denied': Status.PERMISSION_DENIED,
  'not-enough-nodes': Status.UNAVAILABLE,
  'no-room': Status.RESOURCE_EXHAUSTED,
  overloaded: Status.RESOURCE_EXHAUSTED,
  unavailable: Status.UNAVAILABLE,
  'deadline-exceeded': Status.DEADLINE_EXCEEDED,
  integrity: Status.DATA_LOSS,
  'out-of-range': Status.OUT_OF_RANGE,
  cancelled: Status.CANCELLED,
  io: Status.INTERNAL,
  unsupported: Status.UNIMPLEMENTED,
  internal: Status.INTERNAL,
}

/**
 * The code of a status that came without our trailer: from grpc-js itself, a proxy, or a server that is not Twofold.
 * A resource that grpc-js finds exhausted is always a message over the limit.
 */
const codeOfBareStatus: Readonly<Record<number, ErrorCode>> = {
  [Status.CANCELLED]: 'unavailable',
  [Status.INVALID_ARGUMENT]: 'invalid-argument',
  [Status.DEADLINE_EXCEEDED]: 'deadline-exceeded',
  [Status.NOT_FOUND]: 'not-found',
  [Status.ALREADY_EXISTS]: 'already-exists',
  [Status.PERMISSION_DENIED]: 'permission-denied',
  [Status.UNAUTHENTICATED]: 'permission-denied',
  [Status.RESOURCE_EXHAUSTED]: 'invalid-argument',
  [Status.FAILED_PRECONDITION]: 'failed-precondition',
  [Status.ABORTED]: 'unavailable',
  [Status.OUT_OF_RANGE]: 'out-of-range',
  [Status.UNIMPLEMENTED]: 'unsupported',
  [Status.UNAVAILABLE]: 'unavailable',
  [Status.DATA_LOSS]: 'integrity',
}

export interface WireStatus {
  readonly code: Status
  readonly details: string
  readonly metadata: Metadata
}

/** Whether somebody should look at it: the server's log gets it with its cause. */
export function isUnexpected(error: unknown): boolean {
  return error instanceof InvariantError || toTwofoldError(error).code === 'internal'
}

function clip(text: string, charactersMax: number): string {
  const clipped = text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`
  // A lone half of a surrogate pair cannot be encoded in a trailer.
  return clipped.toWellFormed()
}

/** What a failure looks like on the wire. The cause stays behind. */
export function toStatus(error: unknown): WireStatus {
  const failure = toTwofoldError(error)
  const message = clip(failure.message, messageCharactersMax)
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(failure.fields).slice(0, fieldsMax)) {
    fields[clip(name, fieldCharactersMax)] = clip(value, fieldCharactersMax)
  }
  const retryAfterMs = Math.min(Math.max(0, Math.ceil(failure.retryAfterMs ?? 0)), 0xffff_ffff)
  const detail = ErrorDetail.encode({ code: failure.code, message, retryAfterMs, fields }).finish()
  const metadata = new Metadata()
  metadata.set(errorTrailer, Buffer.from(detail))
  const code = statusOfCode[failure.code]
  if (retryAfterMs > 0) {
    // For those who do not know our trailer.
    metadata.set(retryTrailer, String(retryAfterMs))
    metadata.set(statusDetailsTrailer, Buffer.from(encodeRetryInfo(code, message, retryAfterMs)))
  }
  return { code, details: message, metadata }
}

function readDetail(metadata: Metadata | undefined): ErrorDetail | undefined {
  const bytes = metadata?.get(errorTrailer)[0]
  if (!(bytes instanceof Buffer)) return undefined
  try {
    return ErrorDetail.decode(bytes)
  } catch {
    // A trailer that is not ours: the status alone has to do.
    return undefined
  }
}

/** How grpc-js reports why it has no connection, among many other words. */
const systemErrors = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/

function bareMessage(code: ErrorCode, details: string, peer: string): string {
  if (code === 'unavailable') {
    const reason = systemErrors.exec(details)?.[0]
    return reason !== undefined || details.includes('No connection established')
      ? `cannot reach ${peer}: is it running, and is the address right? (${reason ?? details})`
      : `${peer} went away in the middle of the call (${details})`
  }
  if (code === 'deadline-exceeded') return `${peer} did not answer in time`
  if (code === 'unsupported')
    return `${peer} does not know this call; is it a Twofold server of this version? (${details})`
  return `${peer}: ${details}`
}

/** A failed call as one of our errors. `peer` says whom was called, in the words of the message. */
export function fromStatus(error: ServiceError, peer: string): TwofoldError {
  const detail = readDetail(error.metadata)
  if (detail !== undefined && (errorCodes as readonly string[]).includes(detail.code)) {
    const retryAfterMs = detail.retryAfterMs
    return new TwofoldError(detail.code as ErrorCode, detail.message, {
      fields: detail.fields,
      ...(retryAfterMs > 0 ? { retryAfterMs } : {}),
    })
  }
  const code = codeOfBareStatus[error.code] ?? 'internal'
  // A newer peer may send a code that this program does not know; its message is good all the same.
  const message = detail === undefined ? bareMessage(code, error.details, peer) : detail.message
  return new TwofoldError(code, message, { cause: error })
}
