import { TwofoldError } from '../core/errors.ts'
import { pageBytesMax, pageSizeDefault, pageSizeMax } from '../core/limits.ts'
import type { Page } from '../core/messages.ts'

/** @throws TwofoldError `invalid-argument` */
export function pageLimit(pageSize: number): number {
  if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > pageSizeMax) {
    throw new TwofoldError('invalid-argument', `the page size must be from 0 to ${pageSizeMax}, not ${pageSize}`)
  }
  return pageSize === 0 ? pageSizeDefault : pageSize
}

/** A token says which list it belongs to and where that goes on; callers see an opaque text. */
export function makeToken(list: string, position: string): string {
  return Buffer.from(JSON.stringify([list, position])).toString('base64url')
}

/** Where to go on; undefined for the first page. @throws TwofoldError `invalid-argument` */
export function readToken(list: string, token: string): string | undefined {
  if (token === '') return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch (error) {
    throw badToken(error)
  }
  if (!Array.isArray(parsed) || parsed.length !== 2 || parsed[0] !== list || typeof parsed[1] !== 'string') {
    throw badToken()
  }
  return parsed[1]
}

/** The same for lists whose position is a number. */
export function readNumberToken(list: string, token: string): number | undefined {
  const position = readToken(list, token)
  if (position === undefined) return undefined
  if (!/^\d{1,15}$/.test(position)) throw badToken()
  return Number(position)
}

export interface PageShape<T> {
  readonly limit: number
  /** About how many bytes an item takes in a message; few when undefined. */
  readonly bytesOf?: (item: T) => number
  readonly tokenAfter: (last: T) => string
}

/**
 * A page of the first of `found`, which has one more than the limit when the list goes on. It ends early where the next
 * item would make the message too long, but has at least one.
 */
export function pageOf<T>(found: readonly T[], shape: PageShape<T>): Page<T> {
  let bytes = 0
  let end = 0
  for (const item of found.slice(0, shape.limit)) {
    bytes += shape.bytesOf?.(item) ?? 0
    if (end > 0 && bytes > pageBytesMax) break
    end += 1
  }
  const last = found[end - 1]
  return {
    items: found.slice(0, end),
    nextPageToken: found.length > end && last !== undefined ? shape.tokenAfter(last) : '',
  }
}

function badToken(cause?: unknown): TwofoldError {
  return new TwofoldError('invalid-argument', 'the page token is not one of this list; begin with the first page', {
    cause,
  })
}
