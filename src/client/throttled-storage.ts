import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { rateBytesMin } from '../core/request-limits.ts'
import type { ReadRequest, ReadSlice } from '../core/storage-messages.ts'
import type { CallOptions, NodeRef } from '../core/model.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import type { StorageApi } from './storage-api.ts'

export interface ThrottleOptions {
  readonly clock: Clock
  /** 0, as when left out, means as fast as it goes. */
  readonly uploadBytesPerSecondMax?: number | undefined
  readonly downloadBytesPerSecondMax?: number | undefined
}

/** How long one piece takes at the most, so that nobody takes a slow stream for a dead one. */
const pieceSeconds = 0.25

/** @throws TwofoldError `invalid-argument` for a bound with which streams would be taken for dead */
function requireRate(what: string, bytesPerSecond: number): void {
  if (bytesPerSecond === 0 || bytesPerSecond >= rateBytesMin) return
  throw new TwofoldError(
    'invalid-argument',
    `${what} must be at least ${rateBytesMin / 1024} KiB a second, or 0 for none`,
  )
}

/** The same nodes, with a bound on how fast packs are sent to all of them together, and read from them. */
export function throttled(storage: StorageApi, options: ThrottleOptions): StorageApi {
  const { clock, uploadBytesPerSecondMax: up = 0, downloadBytesPerSecondMax: down = 0 } = options
  if (up === 0 && down === 0) return storage
  requireRate('what is sent at most', up)
  requireRate('what is read at most', down)
  const sending = new TokenBucket(clock, up)
  const receiving = new TokenBucket(clock, down)
  return {
    upload: (node, header, slices, call) => storage.upload(node, header, paced(slices, { sending, up, call }), call),
    read: (node, request, call) => read(storage, { receiving, down }, { node, request, call }),
    stat: (node, packId, call) => storage.stat(node, packId, call),
    verify: (node, packId, call) => storage.verify(node, packId, call),
    witness: (node, statement, call) => storage.witness(node, statement, call),
  }
}

interface Pace {
  readonly sending: TokenBucket
  readonly up: number
  readonly call: CallOptions | undefined
}

/** The same bytes, in small pieces. */
async function* paced(slices: AsyncIterable<Uint8Array>, { sending, up, call }: Pace): AsyncGenerator<Uint8Array> {
  for await (const slice of slices) {
    for (const piece of pieces(slice, up)) {
      await sending.take(piece.length, call?.signal)
      yield piece
    }
  }
}

interface Reading {
  readonly node: NodeRef
  readonly request: ReadRequest
  readonly call: CallOptions | undefined
}

/** Whoever does not take slices holds the sender up: what is on its way is bounded by the window. */
async function* read(
  storage: StorageApi,
  { receiving, down }: { readonly receiving: TokenBucket; readonly down: number },
  { node, request, call }: Reading,
): AsyncGenerator<ReadSlice> {
  for await (const { offset, data } of storage.read(node, request, call)) {
    let at = offset
    for (const piece of pieces(data, down)) {
      await receiving.take(piece.length, call?.signal)
      yield { offset: at, data: piece }
      at += piece.length
    }
  }
}

function* pieces(bytes: Uint8Array, bytesPerSecond: number): Generator<Uint8Array> {
  const most = bytesPerSecond === 0 ? bytes.length : Math.floor(bytesPerSecond * pieceSeconds)
  for (let start = 0; start < bytes.length; start += most) yield bytes.subarray(start, start + most)
}
