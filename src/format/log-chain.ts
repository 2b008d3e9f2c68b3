import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import { logPayloadBytesMax } from '../core/limits.ts'
import type { LogEntry, LogPosition } from '../core/model.ts'
import { blake3 } from './hash.ts'

/** What the hash of the first entry is computed from. */
export const logBeginning: Uint8Array = new Uint8Array(32)

/** The kind of the entry that a recovery leaves: its number may leave others out, and it may follow several entries. */
export const recoveryKind = 'recovery'

/** The hash of an entry covers the one before, so two logs with the same newest hash have the same past. */
export function logHash(previousHash: Uint8Array, kind: string, payload: Uint8Array): Uint8Array {
  return blake3(Buffer.concat([previousHash, Buffer.from(`${kind}\0`), payload]))
}

export interface ChainEnd {
  readonly sequence: number
  readonly hash: Uint8Array
}

/**
 * Checks that entries follow each other, the first one `end`.
 * @throws TwofoldError `integrity`
 */
export function requireChain(end: ChainEnd | undefined, entries: readonly LogEntry[]): void {
  let last: ChainEnd = end ?? { sequence: 0, hash: logBeginning }
  for (const entry of entries) {
    const { sequence, kind, previousHash, payload, hash } = entry
    const next = kind === recoveryKind ? sequence > last.sequence : sequence === last.sequence + 1
    if (!next) throw broken(`entry ${sequence} does not follow ${last.sequence}`)
    if (!sameHash(previousHash, last.hash))
      throw broken(`entry ${sequence} follows another entry than ${last.sequence}`)
    requireSound(entry)
    if (payload.length > logPayloadBytesMax) throw broken(`entry ${sequence} is too long`)
    last = { sequence, hash }
  }
}

/** @throws TwofoldError `integrity` unless the entry's hash is its own. */
export function requireSound({ sequence, previousHash, hash, kind, payload }: LogEntry): void {
  if (!sameHash(logHash(previousHash, kind, payload), hash)) throw broken(`entry ${sequence} does not match its hash`)
}

export function samePosition(left: LogPosition | undefined, right: LogPosition | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  const { epoch, life, sequence, hash } = left
  return sequence === right.sequence && epoch === right.epoch && life === right.life && sameHash(hash, right.hash)
}

export function sameHash(left: Uint8Array, right: Uint8Array): boolean {
  return asBuffer(left).equals(right)
}

function broken(what: string): TwofoldError {
  return new TwofoldError('integrity', `the log is broken: ${what}`)
}
