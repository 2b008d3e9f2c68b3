import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { StoreIdentity } from '../../../src/node/store-identity.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { memoryDisk } from './node-fixture.ts'

describe('identity of a store', () => {
  const random = new SeededRandom(4)

  it('counts the starts of its processes, durably, before anybody hears of them', async () => {
    const { disk, below } = memoryDisk()
    for (let start = 1; start <= 3; start++) {
      expect((await StoreIdentity.open(disk, random)).bootNumber).to.equal(start)
      below.crash()
    }
  })

  it('begins a new life above every start that the manager knows', async () => {
    const { disk, below } = memoryDisk()
    const store = await StoreIdentity.open(disk, random)
    const before = store.current.incarnation
    expect(await store.renewIncarnation(7)).not.to.equal(before)
    below.crash()
    const again = await StoreIdentity.open(disk, random)
    expect(again.current).to.include({ incarnation: store.current.incarnation, bootNumber: 9 })
    await again.renewIncarnation(3)
    expect(again.current.bootNumber).to.equal(9)
  })

  it('opens on a disk that takes no writes, and tells no number that may come back', async () => {
    const { disk } = memoryDisk()
    const { nodeId } = (await StoreIdentity.open(disk, random)).current
    for (const code of ['io', 'no-room'] as const) {
      disk.fail('create', new TwofoldError(code, 'the disk takes nothing'))
      const store = await StoreIdentity.open(disk, random)
      expect([store.current.nodeId, store.bootNumber]).to.deep.equal([nodeId, 0])
    }
  })
})
