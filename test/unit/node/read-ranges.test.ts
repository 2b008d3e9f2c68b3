import { expect } from 'chai'
import type { TwofoldError } from '../../../src/core/errors.ts'
import { readRangesMax } from '../../../src/core/limits.ts'
import type { ByteRange } from '../../../src/core/storage-messages.ts'
import { checkRanges } from '../../../src/node/read-ranges.ts'
import { packId } from './node-fixture.ts'

const pack = { packId, lengthBytes: 1000, generation: 1, putSequence: 1, provenAtMs: 0 }

describe('ranges of a read', () => {
  const codeOf = (...ranges: ByteRange[]): string | undefined => {
    try {
      checkRanges(ranges, pack)
      return undefined
    } catch (error) {
      return (error as TwofoldError).code
    }
  }

  it('are the whole pack when none are given', () => {
    expect(checkRanges([], pack)).to.deep.equal([{ offset: 0, length: 1000 }])
  })

  it('are taken in the order in which they are given, also when they overlap', () => {
    const ranges = [
      { offset: 500, length: 500 },
      { offset: 0, length: 1 },
      { offset: 0, length: 1000 },
    ]
    expect(checkRanges(ranges, pack)).to.deep.equal(ranges)
  })

  it('end where the pack ends, to the byte', () => {
    expect(codeOf({ offset: 999, length: 1 })).to.equal(undefined)
    expect(codeOf({ offset: 999, length: 2 })).to.equal('out-of-range')
    expect(codeOf({ offset: 1000, length: 1 })).to.equal('out-of-range')
    expect(codeOf({ offset: 0, length: 1000 }, { offset: 1, length: 1000 })).to.equal('out-of-range')
  })

  it('are refused when they make no sense', () => {
    expect(codeOf({ offset: 0, length: 0 })).to.equal('invalid-argument')
    expect(codeOf({ offset: -1, length: 5 })).to.equal('invalid-argument')
    expect(codeOf({ offset: 0.5, length: 5 })).to.equal('invalid-argument')
    expect(codeOf({ offset: 0, length: NaN })).to.equal('invalid-argument')
    // The largest number of the wire; a sum of two of them must not become small again.
    expect(codeOf({ offset: 2 ** 64, length: 2 ** 64 })).to.equal('invalid-argument')
    expect(codeOf({ offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER })).to.equal('out-of-range')
  })

  it('are so many at the most', () => {
    const range = { offset: 0, length: 1 }
    expect(codeOf(...Array.from({ length: readRangesMax }, () => range))).to.equal(undefined)
    expect(codeOf(...Array.from({ length: readRangesMax + 1 }, () => range))).to.equal('invalid-argument')
  })
})
