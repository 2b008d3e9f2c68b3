import { expect } from 'chai'
import fc from 'fast-check'
import type { PackId, SessionId } from '../../../src/core/ids.ts'
import { catalogueSliceRows } from '../../../src/core/limits.ts'
import type { Catalogue, CatalogueReader, CatalogueWriter } from '../../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import { PackHolders } from '../../../src/manager/pack-holders.ts'
import { encodePackSet } from '../../../src/manager/pack-set.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { aNode, aSession, hex, id32 } from '../../support/catalogue-rows.ts'

const packs = 2 * catalogueSliceRows + 50

describe('pack holders', () => {
  const clock = new AutoClock()
  let catalogue: Catalogue
  let reads: number
  let spied: Catalogue
  let nodes: number[]
  let vault: number
  let session: number

  /** Pack n is on the nodes that are the bits of `n % 8`, and was proven on the k-th of them at 1000 n + k. */
  async function addPack(tx: CatalogueWriter, n: number): Promise<number> {
    const row = await tx.packs.add({ packId: hex(n) as PackId, vault, session, requestId: `${n}`, lengthBytes: 1 })
    for (const [k, node] of nodes.entries()) {
      const copy = { node, putSequence: n, provenAtMs: 1000 * n + k + 1 }
      if ((n % 8) & (1 << k)) await tx.copies.add(row, copy)
    }
    await tx.packs.settle(row, { state: 'committed', lengthBytes: 1 })
    return row
  }

  before(async () => {
    catalogue = openSqliteCatalogue(':memory:')
    const read = <T>(work: (tx: CatalogueReader) => Promise<T>): Promise<T> => {
      reads += 1
      return catalogue.read(work)
    }
    spied = { read } as unknown as Catalogue
    await catalogue.write(async (tx) => {
      await tx.vaults.add({ name: 'v', vaultId: id32(1), copies: 2, minCopies: 2 })
      vault = (await tx.vaults.byName('v'))?.id ?? 0
      await tx.sessions.add(aSession(vault, 1))
      session = (await tx.sessions.find(hex(1) as SessionId))?.id ?? 0
      nodes = []
      for (const n of [1, 2, 3]) nodes.push((await tx.nodes.put(aNode(n, `n${n}`))).id)
      for (let n = 1; n <= packs; n++) await addPack(tx, n)
    })
  })
  beforeEach(() => (reads = 0))
  after(() => catalogue.close())

  it('say of any packs and any nodes that count what the catalogue says', async () => {
    const anyPacks = fc.uniqueArray(fc.integer({ min: 1, max: packs }), { maxLength: 60 })
    const property = fc.asyncProperty(
      anyPacks,
      fc.subarray([0, 1, 2]),
      fc.integer({ min: 0, max: packs }),
      async (some, counting, length) => {
        const counted = counting.map((at) => nodes[at] ?? 0)
        const runs = Array.from({ length: length }, (_, at) => at + 1)
        const sorted = [...new Set([...runs, ...some])].toSorted((a, b) => a - b)
        const holders = new PackHolders(spied, clock, counted)
        // What was counted before for another set must not show.
        await holders.of(encodePackSet([...sorted.slice(0, 30), ...runs]))
        await holders.of(encodePackSet(runs))
        const tally = await holders.of(encodePackSet([...runs, ...sorted]))
        const held = (await catalogue.read((tx) => tx.copies.of(sorted))).map((copies) =>
          copies.filter((copy) => counted.includes(copy.node)),
        )
        const sets = new Map<string, number>()
        for (const copies of held) {
          const key = copies.map((copy) => copy.node).join()
          sets.set(key, (sets.get(key) ?? 0) + 1)
        }
        expect(new Map(tally.groups.map((group) => [group.nodes.join(), group.packs]))).to.deep.equal(sets)
        expect(tally.provenAtMs).to.equal(Math.min(Infinity, ...held.flat().map((copy) => copy.provenAtMs)))
      },
    )
    await fc.assert(property, { numRuns: 20 })
  })

  it('are read once, in bounded slices, also for packs that have no copy', async () => {
    const holders = new PackHolders(spied, clock, nodes)
    const all = Array.from({ length: packs }, (_, at) => at + 1)
    const first = await holders.of(encodePackSet(all))
    expect(reads).to.equal(3)
    expect(await holders.of(encodePackSet(all))).to.deep.equal(first)
    expect((await holders.of(encodePackSet(all))).groups.reduce((sum, group) => sum + group.packs, 0)).to.equal(packs)
    expect(reads).to.equal(3)
  })

  it('are the same for several who ask at once', async () => {
    const holders = new PackHolders(spied, clock, nodes)
    const all = Array.from({ length: packs }, (_, at) => at + 1)
    const [one, two] = await Promise.all([holders.of(encodePackSet(all)), holders.of(encodePackSet(all))])
    expect(one).to.deep.equal(two)
  })

  it('find packs that are committed after their slice was read', async () => {
    const holders = new PackHolders(spied, clock, nodes)
    await holders.of(encodePackSet([packs]))
    const row = await catalogue.write((tx) => addPack(tx, packs + 5))
    const { groups } = await holders.of(encodePackSet([row]))
    const expected = nodes.filter((_, k) => ((packs + 5) % 8) & (1 << k))
    expect(groups).to.deep.equal([{ nodes: expected, packs: 1 }])
  })
})
