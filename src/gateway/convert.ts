/** Between the messages of `files.proto` and what the client library speaks. */
import { TwofoldError } from '../core/errors.ts'
import { sliceBytesMax } from '../core/limits.ts'
import type { FileVersionInfo } from '../client/index.ts'
import type { FileVersion, PutHeader, PutRequest } from '../gen/twofold/v1/files.ts'

export function toFileVersion(info: FileVersionInfo): FileVersion {
  return {
    name: info.name,
    version: BigInt(info.version),
    deleted: info.deleted,
    lengthBytes: BigInt(info.lengthBytes),
    createdAtMs: BigInt(Math.round(info.createdAtMs)),
    snapshotId: info.snapshotId,
    copies: info.copies,
    addedBytes: BigInt(info.addedBytes),
  }
}

/** @throws TwofoldError `invalid-argument` for a version that no file can have */
export function toVersionNumber(version: bigint): number {
  const number = Number(version)
  if (!Number.isSafeInteger(number)) throw new TwofoldError('invalid-argument', `there is no version ${version}`)
  return number
}

/** The header that a put begins with. @throws TwofoldError `invalid-argument` */
export function requireHeader(first: PutRequest | undefined): PutHeader {
  if (first?.part?.$case !== 'header') {
    throw new TwofoldError('invalid-argument', 'a put begins with its header: send {"header": {"name": …}} first')
  }
  return first.part.value
}

/** The bytes of a later message of a put. @throws TwofoldError `invalid-argument` */
export function requireData({ part }: PutRequest): Uint8Array {
  if (part?.$case !== 'data') {
    throw new TwofoldError('invalid-argument', 'after the header a put has only "data" messages')
  }
  if (part.value.length > sliceBytesMax) {
    const message = `a "data" message carries at most ${sliceBytesMax} bytes, not ${part.value.length}`
    throw new TwofoldError('invalid-argument', `${message}: send smaller ones`)
  }
  return part.value
}
