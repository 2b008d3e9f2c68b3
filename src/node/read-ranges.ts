import { TwofoldError } from '../core/errors.ts'
import { readRangesMax } from '../core/limits.ts'
import type { ByteRange } from '../core/storage-messages.ts'
import type { StoredPack } from './pack-store.ts'

/**
 * The ranges to read; the whole pack when none are given.
 * @throws `invalid-argument` for too many or malformed ones, `out-of-range` for one that goes beyond the pack.
 */
export function checkRanges(ranges: readonly ByteRange[], pack: StoredPack): readonly ByteRange[] {
  if (ranges.length === 0) return [{ offset: 0, length: pack.lengthBytes }]
  if (ranges.length > readRangesMax) {
    throw new TwofoldError('invalid-argument', `a read may have ${readRangesMax} ranges, not ${ranges.length}`)
  }
  for (const { offset, length } of ranges) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 1) {
      throw new TwofoldError('invalid-argument', `a range of ${length} bytes from ${offset} makes no sense`)
    }
    if (offset + length > pack.lengthBytes) {
      const message = `pack ${pack.packId} has ${pack.lengthBytes} bytes; a range ends at ${offset + length}`
      throw new TwofoldError('out-of-range', message)
    }
  }
  return ranges
}
