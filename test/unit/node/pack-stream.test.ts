import { expect } from 'chai'
import { openStream } from '../../../src/node/pack-stream.ts'
import type { PackMessage } from '../../../src/node/pack-stream.ts'
import { expectError } from '../../support/expect-error.ts'

type Message = PackMessage<string>

const header: Message = { part: { $case: 'header', value: 'the header' } }
const slice = (byte: number): Message => ({ part: { $case: 'slice', value: Uint8Array.of(byte) } })

describe('stream of a pack', () => {
  let finished: boolean
  beforeEach(() => (finished = false))

  async function* messages(...parts: Message[]): AsyncGenerator<Message> {
    try {
      yield* parts
    } finally {
      finished = true
    }
  }

  async function bytesOf(slices: AsyncIterable<Uint8Array>): Promise<number[]> {
    const bytes: number[] = []
    for await (const part of slices) bytes.push(...part)
    return bytes
  }

  it('is a header and then slices', async () => {
    const stream = await openStream(messages(header, slice(1), slice(2)))
    expect(stream.header).to.equal('the header')
    expect(await bytesOf(stream.slices)).to.deep.equal([1, 2])
    expect(finished).to.equal(true)
  })

  it('may have no slices', async () => {
    expect(await bytesOf((await openStream(messages(header))).slices)).to.deep.equal([])
  })

  it('must begin with the header', async () => {
    await expectError(openStream(messages()), 'invalid-argument')
    await expectError(openStream(messages(slice(1), header)), 'invalid-argument')
    await expectError(openStream(messages({})), 'invalid-argument')
  })

  it('has no second header, and no empty message', async () => {
    for (const odd of [header, {}]) {
      const { slices } = await openStream(messages(header, slice(1), odd, slice(2)))
      await expectError(bytesOf(slices), 'invalid-argument')
      expect(finished).to.equal(true)
    }
  })

  it('is let go when nobody wants the rest', async () => {
    const { slices } = await openStream(messages(header, slice(1), slice(2)))
    for await (const part of slices) {
      expect([...part]).to.deep.equal([1])
      break
    }
    expect(finished).to.equal(true)
  })
})
