import { expect } from 'chai'
import { silentLogger } from '../../src/core/logger.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { contentIn, contentOf, packIdOf, put } from './pack-store.contract.ts'

const bytes = 3000
const a = packIdOf('a')
const b = packIdOf('b')
const finding = { problem: 'rotten', foundAtMs: 1 }

/** How far the work had come when the power failed: each step was begun, or was told to be done. */
type Step = 'put' | 'proven' | 'aside' | 'replaced' | 'discarded' | 'proven again' | 'dropped'

class DoomedUpkeep {
  readonly disk: SimDisk
  readonly begun = new Set<Step>()
  readonly done = new Set<Step>()
  #operations = 0
  #over = false
  readonly #failed = Promise.withResolvers<'power lost'>()

  constructor(seed: number, failAt: number) {
    const before = async (): Promise<void> => {
      if (++this.#operations !== failAt || this.#over) return
      this.#failed.resolve('power lost')
      // Nothing is ever delivered to a process that has no power.
      await new Promise(() => undefined)
    }
    this.disk = new SimDisk({ random: new SeededRandom(seed), capacityBytes: 1e9, before })
  }

  open(): Promise<FilePackStore> {
    return FilePackStore.open({ disk: this.disk, capacityBytes: 1e8, logger: silentLogger })
  }

  /** @returns whether the power failed. */
  async run(): Promise<boolean> {
    const outcome = await Promise.race([this.#work(), this.#failed.promise])
    this.#over = true
    this.disk.crash()
    return outcome === 'power lost'
  }

  async #step(step: Step, work: () => Promise<unknown>): Promise<void> {
    this.begun.add(step)
    await work()
    this.done.add(step)
  }

  async #prove(store: FilePackStore, putSequence: number, atMs: number): Promise<void> {
    store.markProven(b, putSequence, atMs)
    await store.saveProofs()
  }

  async #work(): Promise<void> {
    const store = await this.open()
    await this.#step('put', async () => {
      await put(store, a, contentOf(1, bytes))
      await put(store, b, contentOf(2, bytes))
    })
    await this.#step('proven', () => this.#prove(store, 2, 100))
    await this.#step('aside', () => store.quarantine(a, 1, finding))
    await this.#step('replaced', () => put(store, a, contentOf(1, bytes), { generation: 2 }))
    await this.#step('discarded', () => store.discard(a, 1))
    await this.#step('proven again', () => this.#prove(store, 2, 200))
    await store.quarantine(a, 3, finding)
    await this.#step('dropped', () => store.remove(a, { generationMax: 9 }))
  }

  async check(): Promise<void> {
    const store = await this.open()
    const has = (step: Step): boolean => this.done.has(step)
    const aside = [...store.quarantined()].filter(({ packId }) => packId === a).map((copy) => copy.putSequence)
    const served = store.stat(a)?.putSequence
    if (has('aside')) expect(served, 'a bad copy came back as a good one').not.to.equal(1)
    if (has('aside') && !this.begun.has('discarded')) expect(aside, 'the bad copy is lost').to.include(1)
    if (has('discarded')) expect(aside, 'what was discarded came back').not.to.include(1)
    if (has('replaced') && !has('proven again')) expect(served).to.equal(3)
    if (has('dropped')) expect([served, aside]).to.deep.equal([undefined, []])
    if (has('put')) expect((await contentIn(store, b)).equals(contentOf(2, bytes))).to.equal(true)
    const proven = store.stat(b)?.provenAtMs ?? 0
    const told = has('proven again') ? [200] : has('proven') ? [100, 200] : [0, 100]
    expect(told, 'time of proof').to.include(proven)
    // Nothing is left anywhere that is not accounted for.
    const files = this.disk.files().filter((path) => /^(packs|quarantine|incoming)\//.test(path))
    expect(files).to.have.length([...store.list()].length + [...store.quarantined()].length)
    expect((await store.usage()).usedBytes).to.equal(files.length * bytes)
  }
}

describe('upkeep of a store that loses power', () => {
  it('loses nothing, and brings nothing back as good, whenever the power fails', async () => {
    let failures = 0
    for (let failAt = 1; ; failAt++) {
      let failed = false
      for (let seed = 1; seed <= 6; seed++) {
        const store = new DoomedUpkeep(seed * 1000 + failAt, failAt)
        failed = await store.run()
        try {
          await store.check()
        } catch (error) {
          throw new Error(`power lost at operation ${failAt} with seed ${seed * 1000 + failAt}`, { cause: error })
        }
      }
      if (!failed) break
      failures++
    }
    expect(failures, 'every step of the way was a place to fail').to.be.greaterThan(50)
  })
})
