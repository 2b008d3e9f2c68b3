import { expect } from 'chai'
import type { PackId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { contentIn, contentOf, packIdOf, put } from './pack-store.contract.ts'

const contentBytes = 5000

/** A store on a disk whose power fails at a certain operation, and what was acknowledged until then. */
class DoomedStore {
  readonly disk: SimDisk
  /** What must be there, by pack: the seed of its content. Undefined once it was removed. */
  readonly durable = new Map<PackId, number | undefined>()
  /** What may be there instead: it was on its way when the power failed. */
  underway: { packId: PackId; seed: number | undefined } | undefined
  lastSequence = 0
  operations = 0
  #failed = Promise.withResolvers<'power lost'>()
  #failAt: number

  constructor(seed: number, failAt: number) {
    this.#failAt = failAt
    const before = async (): Promise<void> => {
      if (++this.operations !== this.#failAt) return
      this.#failed.resolve('power lost')
      // Nothing is ever delivered to a process that has no power.
      await new Promise(() => undefined)
    }
    this.disk = new SimDisk({ random: new SeededRandom(seed), capacityBytes: 1e9, before })
  }

  open(): Promise<FilePackStore> {
    return FilePackStore.open({ disk: this.disk, capacityBytes: 1e8, logger: silentLogger })
  }

  /** Puts, replaces and removes until the power fails. @returns whether it did. */
  run(): Promise<boolean> {
    return this.#untilPowerFails(this.#work())
  }

  /** Opens the store again and loses power `steps` operations later. @returns whether it was not open by then. */
  openUntil(steps: number): Promise<boolean> {
    this.#failAt = this.operations + steps
    this.#failed = Promise.withResolvers<'power lost'>()
    return this.#untilPowerFails(this.open())
  }

  async #untilPowerFails(work: Promise<unknown>): Promise<boolean> {
    const outcome = await Promise.race([work, this.#failed.promise])
    this.#failAt = 0
    this.disk.crash()
    return outcome === 'power lost'
  }

  async #work(): Promise<void> {
    const store = await this.open()
    await this.#put(store, packIdOf('a'), 1)
    await this.#put(store, packIdOf('b'), 2)
    await this.#put(store, packIdOf('a'), 3)
    await this.#remove(store, packIdOf('b'))
    const draft = await store.begin(packIdOf('c'), 1, contentBytes)
    await draft.append(contentOf(4, contentBytes))
    await draft.close()
    await this.#put(store, packIdOf('b'), 5)
    await this.#remove(store, packIdOf('a'))
  }

  async #put(store: FilePackStore, packId: PackId, seed: number): Promise<void> {
    this.underway = { packId, seed }
    const { putSequence } = await put(store, packId, contentOf(seed, contentBytes), { sliceBytes: 2000 })
    this.durable.set(packId, seed)
    this.lastSequence = putSequence
    this.underway = undefined
  }

  async #remove(store: FilePackStore, packId: PackId): Promise<void> {
    this.underway = { packId, seed: undefined }
    await store.remove(packId, { generationMax: 1 })
    this.durable.set(packId, undefined)
    this.underway = undefined
  }

  /** What is left after the power came back must be what was acknowledged. */
  async check(): Promise<void> {
    const store = await this.open()
    for (const packId of ['a', 'b', 'c'].map(packIdOf)) {
      const expected = [this.durable.get(packId)]
      if (this.underway?.packId === packId) expected.push(this.underway.seed)
      expect(expected, packId).to.include(await this.#seedOf(store, packId))
    }
    expect(this.disk.files().filter((path) => path.startsWith('incoming/'))).to.deep.equal([])
    const sealed = this.disk.files().filter((path) => path.startsWith('packs/'))
    expect(sealed).to.have.length([...store.list()].length)
    expect((await store.usage()).usedBytes).to.equal(sealed.length * contentBytes)
    const { putSequence } = await put(store, packIdOf('d'), contentOf(9, contentBytes))
    expect(putSequence).to.be.greaterThan(this.lastSequence)
  }

  /** The seed of what is stored; undefined when it is not there, 0 for bytes that nobody wrote. */
  async #seedOf(store: FilePackStore, packId: PackId): Promise<number | undefined> {
    if (store.stat(packId) === undefined) return undefined
    const found = await contentIn(store, packId)
    return [1, 2, 3, 4, 5].find((seed) => found.equals(contentOf(seed, contentBytes))) ?? 0
  }
}

describe('PackStore: files on a disk that loses power', () => {
  it('has what it acknowledged and no half of anything, whenever the power fails', async () => {
    let failures = 0
    for (let failAt = 1; ; failAt++) {
      let failed = false
      for (let seed = 1; seed <= 4; seed++) {
        const store = new DoomedStore(seed, failAt)
        failed = await store.run()
        try {
          await store.check()
        } catch (error) {
          throw new Error(`power lost at operation ${failAt} with seed ${seed}`, { cause: error })
        }
      }
      if (!failed) break
      failures++
    }
    expect(failures, 'every step of the way was a place to fail').to.be.greaterThan(50)
  })

  it('has the same when the power fails again and again while it is opened', async () => {
    let failures = 0
    for (let failAt = 20; failAt <= 80; failAt += 3) {
      for (let steps = 1; steps < 20; steps++) {
        const store = new DoomedStore(failAt, failAt)
        await store.run()
        for (const again of [steps, 20 - steps]) if (await store.openUntil(again)) failures++
        await store.check()
      }
    }
    expect(failures).to.be.greaterThan(100)
  })
})
