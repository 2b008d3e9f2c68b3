import { expect } from 'chai'
import { throttled } from '../../../src/client/throttled-storage.ts'
import type { StorageApi } from '../../../src/client/storage-api.ts'
import type { PackId } from '../../../src/core/ids.ts'
import type { ReadSlice, UploadHeader } from '../../../src/core/storage-messages.ts'
import type { NodeRef } from '../../../src/core/model.ts'
import { expectError } from '../../support/expect-error.ts'
import { AutoClock } from '../../support/auto-clock.ts'

const node = { name: 'n1' } as NodeRef
const rate = 256 * 1024

describe('a bound on what is sent and read', () => {
  let clock: AutoClock
  let sent: number[]
  const api = {
    upload: async (_node, _header, slices) => {
      for await (const slice of slices) sent.push(slice.length)
      return { receipts: [], nodes: [] }
    },
    async *read() {
      for (let offset = 0; offset < 4; offset++) yield { offset: offset * rate, data: new Uint8Array(rate) }
    },
  } as Partial<StorageApi> as StorageApi

  beforeEach(() => {
    clock = new AutoClock()
    sent = []
  })

  async function* slices(): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < 4; number++) yield new Uint8Array(rate)
  }

  it('spreads uploads over the time that they may take, in pieces', async () => {
    const began = clock.monotonicMs()
    await throttled(api, { clock, uploadBytesPerSecondMax: rate }).upload(node, {} as UploadHeader, slices())
    expect(clock.monotonicMs() - began).to.be.within(3700, 4000)
    expect(sent.reduce((sum, length) => sum + length, 0)).to.equal(4 * rate)
    expect(Math.max(...sent)).to.be.at.most(rate / 4)
  })

  it('spreads reads, and gives every byte at its place', async () => {
    const began = clock.monotonicMs()
    const storage = throttled(api, { clock, downloadBytesPerSecondMax: 2 * rate })
    const got: ReadSlice[] = []
    for await (const slice of storage.read(node, { packId: '' as PackId, ranges: [] })) got.push(slice)
    expect(clock.monotonicMs() - began).to.be.within(1700, 2000)
    let next = 0
    for (const { offset, data } of got) {
      expect(offset).to.equal(next)
      next += data.length
    }
    expect(next).to.equal(4 * rate)
  })

  it('is the same storage without one, and refuses one with which streams would be taken for dead', async () => {
    expect(throttled(api, { clock })).to.equal(api)
    const refused = async (): Promise<StorageApi> => throttled(api, { clock, uploadBytesPerSecondMax: 1000 })
    expect((await expectError(refused(), 'invalid-argument')).message).to.include('at least 128 KiB')
  })
})
