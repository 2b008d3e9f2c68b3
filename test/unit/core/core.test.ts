import { expect } from 'chai'
import fc from 'fast-check'
import { linkedController } from '../../../src/core/abort.ts'
import { backoffMs } from '../../../src/core/backoff.ts'
import {
  InvariantError,
  TwofoldError,
  describeError,
  invariant,
  isTwofoldError,
  toTwofoldError,
} from '../../../src/core/errors.ts'
import {
  asBuffer,
  chunkIdFromKey,
  chunkKey,
  fromHex,
  parseChunkId,
  parseNodeId,
  parsePackId,
  parseSnapshotId,
  randomHexId,
  toHex,
} from '../../../src/core/ids.ts'
import type { Random } from '../../../src/core/random.ts'
import { systemRandom } from '../../../src/system/random.ts'

const fixed = (fraction: number): Random => ({ bytes: (length) => new Uint8Array(length), fraction: () => fraction })

describe('backoffMs', () => {
  const options = { firstMs: 100, mostMs: 2000 }

  it('doubles, up to the most', () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoffMs(attempt, fixed(1), options))
    expect(ceilings).to.deep.equal([100, 200, 400, 800, 1600, 2000, 2000, 2000])
  })

  it('never waits less than half of that', () => {
    expect(backoffMs(0, fixed(0), options)).to.equal(50)
    expect(backoffMs(50, fixed(0), options)).to.equal(1000)
  })
})

describe('linkedController', () => {
  it('follows its parent with its reason', () => {
    const parent = new AbortController()
    const { controller } = linkedController(parent.signal)
    parent.abort(new Error('why'))
    expect(controller.signal.reason).to.have.property('message', 'why')
  })

  it('is aborted from the start when its parent is', () => {
    expect(linkedController(AbortSignal.abort()).controller.signal.aborted).to.equal(true)
  })

  it('does not follow any more once released, and never back', () => {
    const parent = new AbortController()
    const { controller, release } = linkedController(parent.signal)
    const other = linkedController(parent.signal).controller
    other.abort()
    expect(parent.signal.aborted).to.equal(false)
    release()
    parent.abort()
    expect(controller.signal.aborted).to.equal(false)
  })

  it('needs no parent', () => {
    const { controller, release } = linkedController(undefined)
    release()
    expect(controller.signal.aborted).to.equal(false)
  })
})

describe('ids', () => {
  it('take only what they are', () => {
    expect(parseNodeId('0123456789abcdef0123456789abcdef')).to.be.a('string')
    expect(parseSnapshotId('0'.repeat(64))).to.be.a('string')
    for (const bad of ['', '0'.repeat(31), '0'.repeat(33), 'G'.repeat(32), 'A'.repeat(32), `${'0'.repeat(32)}\n`]) {
      expect(() => parsePackId(bad))
        .to.throw(TwofoldError)
        .with.property('code', 'invalid-argument')
    }
    expect(() => parseSnapshotId('0'.repeat(32))).to.throw(/64/)
    expect(() => parseNodeId('x'.repeat(10_000)))
      .to.throw()
      .with.property('message')
      .that.has.length.below(200)
  })

  it('of chunks are 32 bytes, and keys give them back', () => {
    expect(() => parseChunkId(new Uint8Array(31))).to.throw(/32/)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const id = parseChunkId(bytes)
        expect(chunkKey(id)).to.have.length(32)
        expect([...chunkIdFromKey(chunkKey(id))]).to.deep.equal([...bytes])
      }),
    )
  })

  it('differ as keys when they differ as bytes', () => {
    const one = parseChunkId(new Uint8Array(32).fill(0xc3))
    const other = parseChunkId(new Uint8Array(32).fill(0xc3).fill(0xc2, 31))
    expect(chunkKey(one)).not.to.equal(chunkKey(other))
  })

  it('are random', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => parseNodeId(randomHexId(systemRandom))))
    expect(ids.size).to.equal(1000)
  })

  it('become hexadecimal and back, also from the middle of a memory', () => {
    const memory = Uint8Array.from([1, 2, 0xab, 0xff, 5])
    expect(toHex(memory.subarray(2, 4))).to.equal('abff')
    expect([...fromHex('ABff')]).to.deep.equal([0xab, 0xff])
    expect(asBuffer(memory.subarray(1, 3)).buffer).to.equal(memory.buffer)
    for (const bad of ['a', 'zz', '0x00', 'ab ']) expect(() => fromHex(bad)).to.throw(/not hexadecimal/)
  })
})

describe('errors', () => {
  it('know their codes', () => {
    const error = new TwofoldError('no-room', 'x')
    expect(isTwofoldError(error)).to.equal(true)
    expect(isTwofoldError(error, 'io', 'no-room')).to.equal(true)
    expect(isTwofoldError(error, 'io')).to.equal(false)
    expect(isTwofoldError(new Error('x'))).to.equal(false)
  })

  it('become ours', () => {
    const ours = new TwofoldError('io', 'x')
    expect(toTwofoldError(ours)).to.equal(ours)
    expect(toTwofoldError(new DOMException('x', 'AbortError')).code).to.equal('cancelled')
    const odd = toTwofoldError('a string')
    expect([odd.code, odd.cause]).to.deep.equal(['internal', 'a string'])
    expect(odd.message).not.to.contain('a string')
  })

  it('are described with their causes', () => {
    expect(describeError(new TwofoldError('io', 'a', { cause: new Error('b', { cause: 'c' }) }))).to.equal('a: b: c')
  })

  it('of invariants are of their own kind', () => {
    expect(() => invariant(false, 'impossible')).to.throw(InvariantError, 'impossible')
    expect(() => invariant(true, 'fine')).not.to.throw()
  })
})
