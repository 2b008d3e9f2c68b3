import { expect } from 'chai'
import type { PackId, SessionId } from '../../../src/core/ids.ts'
import { catalogueSliceRows } from '../../../src/core/limits.ts'
import type { Catalogue, CatalogueReader, CatalogueWriter, CopyCount } from '../../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import { CopyCounts } from '../../../src/manager/copy-counts.ts'
import { aNode, aSession, hex, id32 } from '../../support/catalogue-rows.ts'
import { AutoClock } from '../../support/auto-clock.ts'

const slices = 3
const packs = slices * catalogueSliceRows + 10

describe('copy counts', () => {
  let catalogue: Catalogue
  let reads: number
  let counts: CopyCounts
  let nodes: number[]
  let vault: number
  let session: number

  async function addPack(tx: CatalogueWriter, n: number, copies: number): Promise<number> {
    const pack = { packId: hex(n) as PackId, vault, session, requestId: `${n}`, lengthBytes: 1 }
    const row = await tx.packs.add(pack)
    for (const node of nodes.slice(0, copies)) await tx.copies.add(row, { node, putSequence: n, provenAtMs: 1 })
    return row
  }

  const commit = (tx: CatalogueWriter, row: number): Promise<void> =>
    tx.packs.settle(row, { state: 'committed', lengthBytes: 1 })

  beforeEach(async () => {
    catalogue = openSqliteCatalogue(':memory:')
    reads = 0
    const read = <T>(work: (tx: CatalogueReader) => Promise<T>): Promise<T> => {
      reads += 1
      return catalogue.read(work)
    }
    const clock = new AutoClock()
    counts = new CopyCounts({ read } as unknown as Catalogue, clock)
    await catalogue.write(async (tx) => {
      await tx.vaults.add({ name: 'v', vaultId: id32(1), copies: 2, minCopies: 2 })
      vault = (await tx.vaults.byName('v'))?.id ?? 0
      await tx.sessions.add(aSession(vault, 1))
      session = (await tx.sessions.find(hex(1) as SessionId))?.id ?? 0
      nodes = []
      for (const n of [1, 2]) nodes.push((await tx.nodes.put(aNode(n, `n${n}`))).id)
      for (let n = 0; n < packs; n++) await commit(tx, await addPack(tx, n, n % 10 === 0 ? 1 : 2))
    })
  })
  afterEach(() => catalogue.close())

  async function sums(counted: readonly number[]): Promise<Record<number, number>> {
    const sum: Record<number, number> = {}
    for (const count of await counts.of(counted)) sum[count.copies] = (sum[count.copies] ?? 0) + count.packs
    return sum
  }

  const few = Math.ceil(packs / 10)

  it('are those of all packs, and are counted in bounded reads and once', async () => {
    expect(await sums(nodes)).to.deep.equal({ 1: few, 2: packs - few })
    expect(reads).to.equal(1 + slices + 1)
    reads = 0
    expect(await sums(nodes)).to.deep.equal({ 1: few, 2: packs - few })
    expect(reads).to.equal(1 + 1)
  })

  it('are counted anew when a copy is made, and remembered again', async () => {
    await sums(nodes)
    // The first pack has one copy, on the first node.
    await catalogue.write((tx) => tx.copies.put(1, { node: nodes[1] ?? 0, putSequence: packs, provenAtMs: 1 }))
    expect(await sums(nodes)).to.deep.equal({ 1: few - 1, 2: packs - few + 1 })
    reads = 0
    await sums(nodes)
    expect(reads).to.equal(1 + 1)
  })

  it('are counted anew for other nodes, and when copies are forgotten', async () => {
    await sums(nodes)
    expect(await sums(nodes.slice(1))).to.deep.equal({ 0: few, 1: packs - few })
    expect(await sums([])).to.deep.equal({ 0: packs })
    expect(await sums(nodes)).to.deep.equal({ 1: few, 2: packs - few })
    await catalogue.write((tx) => tx.copies.dropNode(nodes[1] ?? 0))
    expect(await sums(nodes)).to.deep.equal({ 1: packs })
  })

  it('see a pack that is committed long after it was begun', async () => {
    const late = await catalogue.write((tx) => addPack(tx, packs, 2))
    await catalogue.write(async (tx) => {
      for (let n = packs + 1; n < packs + catalogueSliceRows; n++) await commit(tx, await addPack(tx, n, 2))
    })
    const before = (await sums(nodes))[2] ?? 0
    await catalogue.write((tx) => commit(tx, late))
    expect(await sums(nodes)).to.have.property('2', before + 1)
  })

  it('are right for several who ask at once for different nodes', async () => {
    const answers: readonly (readonly CopyCount[])[] = await Promise.all([
      counts.of(nodes),
      counts.of([]),
      counts.of(nodes),
    ])
    const unavailable = answers.map((answer) =>
      answer.filter(({ copies }) => copies === 0).reduce((sum, count) => sum + count.packs, 0),
    )
    expect(unavailable).to.deep.equal([0, packs, 0])
  })
})
