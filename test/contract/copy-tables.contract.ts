import { expect } from 'chai'
import type { PackId, SessionId } from '../../src/core/ids.ts'
import { copyDigest, xorDigests } from '../../src/format/copy-digest.ts'
import type { Catalogue, CatalogueWriter } from '../../src/manager/catalogue.ts'
import { aNode, aSession, hex, id32 } from '../support/catalogue-rows.ts'

const packId = (n: number): PackId => hex(1000 + n) as PackId

interface Base {
  readonly vault: number
  readonly packs: readonly number[]
  readonly one: number
  readonly two: number
}

/** Three packs, of which the first two are committed, and two nodes. */
async function addBase(tx: CatalogueWriter): Promise<Base> {
  await tx.vaults.add({ name: 'default', vaultId: id32(1).subarray(0, 16), copies: 2, minCopies: 2 })
  const vault = (await tx.vaults.byName('default'))?.id ?? 0
  await tx.sessions.add(aSession(vault, 1))
  const session = (await tx.sessions.find(hex(1) as SessionId))?.id ?? 0
  const packs = []
  for (let n = 0; n < 3; n++) {
    packs.push(await tx.packs.add({ packId: packId(n), vault, session, requestId: `r${n}`, lengthBytes: 100 }))
  }
  const [first = 0, second = 0] = packs
  await tx.packs.settle(first, { state: 'committed', lengthBytes: 90, digest: id32(5) })
  await tx.packs.settle(second, { state: 'committed', lengthBytes: 80 })
  const one = await tx.nodes.put(aNode(1, 'n1'))
  const two = await tx.nodes.put(aNode(2, 'n2'))
  return { vault, packs, one: one.id, two: two.id }
}

const copy = (node: number, putSequence: number, provenAtMs = 0) => ({ node, putSequence, provenAtMs })

/** The sentences of the catalogue's contract about copies, damage and what is unknown, on any driver. */
export function testCopyTables(name: string, open: () => Promise<Catalogue>): void {
  describe(`copies in the catalogue, ${name}`, () => {
    let catalogue: Catalogue

    beforeEach(async () => {
      catalogue = await open()
    })

    afterEach(async () => {
      await catalogue.close()
    })

    it('have a digest for each node that follows every change', async () => {
      await catalogue.write(async (tx) => {
        const { packs, one, two } = await addBase(tx)
        const [first = 0, second = 0] = packs
        const digest = async (): Promise<Buffer> => Buffer.from((await tx.nodes.inventory(one)).copiesDigest)
        const of = (...puts: [number, number][]): Buffer => {
          const names = puts.map(([pack, put]) => copyDigest(packId(pack), put))
          return Buffer.from(names.reduce(xorDigests, new Uint8Array(32)))
        }
        expect(await digest()).to.deep.equal(of())
        await tx.copies.add(first, copy(one, 3))
        await tx.copies.put(second, copy(one, 4))
        await tx.copies.put(second, copy(two, 1))
        expect(await digest()).to.deep.equal(of([0, 3], [1, 4]))
        await tx.copies.put(first, copy(one, 8))
        await tx.copies.put(first, copy(one, 8, 70))
        expect(await digest()).to.deep.equal(of([0, 8], [1, 4]))
        expect(await tx.copies.remove(second, copy(one, 3)), 'another put').to.equal(false)
        expect(await tx.copies.remove(second, copy(one, 4))).to.equal(true)
        expect(await digest()).to.deep.equal(of([0, 8]))
        await tx.copies.put(second, copy(one, 9))
        await tx.copies.dropPack(second)
        expect(await digest()).to.deep.equal(of([0, 8]))
        await tx.copies.dropNode(one)
        expect(await digest()).to.deep.equal(of())
      })
    })

    it('raise the version when they go, and the additions when they come later than their pack', async () => {
      await catalogue.write(async (tx) => {
        const { packs, one, two } = await addBase(tx)
        const [first = 0] = packs
        const raised = async (change: () => Promise<unknown>): Promise<string> => {
          const [version, additions] = [await tx.copies.version(), await tx.copies.additions()]
          await change()
          const gone = (await tx.copies.version()) === version ? '' : 'version'
          return (await tx.copies.additions()) === additions ? gone : `${gone} additions`
        }
        expect(await raised(() => tx.copies.add(first, copy(two, 1))), 'with its pack').to.equal('')
        expect(await raised(() => tx.copies.put(first, copy(one, 3)))).to.equal(' additions')
        expect(await raised(() => tx.copies.put(first, copy(one, 3, 70))), 'proven').to.equal('')
        expect(await raised(() => tx.copies.put(first, copy(one, 4))), 'another put').to.equal('')
        expect(await raised(() => tx.copies.remove(first, copy(one, 3))), 'an older put').to.equal('')
        expect(await raised(() => tx.copies.remove(first, copy(one, 4)))).to.equal('version')
      })
    })

    it('are proven by their put, never to an earlier time', async () => {
      await catalogue.write(async (tx) => {
        const { packs, one } = await addBase(tx)
        const [first = 0] = packs
        await tx.copies.put(first, copy(one, 3, 50))
        const prove = (putSequence: number, provenAtMs: number): Promise<void> =>
          tx.copies.prove(one, [{ packId: packId(0), putSequence, provenAtMs }])
        const times: number[] = []
        for (const [put, at] of [
          [3, 60],
          [3, 55],
          [4, 99],
        ] as const) {
          await prove(put, at)
          const [held] = await tx.copies.of([first])
          times.push(held?.[0]?.provenAtMs ?? 0)
        }
        expect(times).to.deep.equal([60, 60, 60])
      })
    })

    it('are found by node and by pack, a page at a time', async () => {
      await catalogue.write(async (tx) => {
        const { packs, one, two, vault } = await addBase(tx)
        const [first = 0, second = 0, third = 0] = packs
        for (const pack of [first, second, third]) await tx.copies.put(pack, copy(one, pack))
        await tx.copies.put(second, copy(two, 9))
        const page = await tx.copies.ofNode(one, { after: first, limit: 1 })
        expect(page.map((row) => ({ ...row }))).to.deep.equal([
          { pack: second, packId: packId(1), vault, state: 'committed', lengthBytes: 80, putSequence: second },
        ])
        expect(await tx.copies.ofNode(one, { after: second, limit: 9 })).to.have.length(1)
        expect({ ...(await tx.copies.totalOf(one)) }).to.deep.equal({ packs: 3, bytes: 270 })
        const all = await tx.packs.withCopies(0, 10)
        expect(all.map((row) => [row.pack, row.copies.map((held) => held.node)])).to.deep.equal([
          [first, [one]],
          [second, [one, two]],
        ])
        expect((await tx.packs.withCopies(first, 10)).map((row) => row.pack)).to.deep.equal([second])
        expect((await tx.packs.withCopies(0, 1)).map((row) => row.pack)).to.deep.equal([first])
      })
    })

    it('belong to packs with a digest and a generation that only grows', async () => {
      await catalogue.write(async (tx) => {
        const { packs } = await addBase(tx)
        const [first = 0, second = 0] = packs
        expect(Buffer.from((await tx.packs.digest(first)) ?? [])).to.deep.equal(Buffer.from(id32(5)))
        expect(await tx.packs.digest(second)).to.equal(undefined)
        expect([await tx.packs.raiseGeneration(first), await tx.packs.raiseGeneration(first)]).to.deep.equal([1, 2])
        expect(await tx.packs.raiseGeneration(first, 7)).to.equal(8)
        expect((await tx.packs.find(packId(0)))?.generation).to.equal(8)
      })
    })

    it('that are damaged are remembered by node, pack and put', async () => {
      await catalogue.write(async (tx) => {
        const { one, two } = await addBase(tx)
        const damage = (node: number, putSequence: number, foundAtMs: number) => ({
          ...{ node, packId: packId(0), putSequence, problem: 'rot', foundAtMs },
        })
        await tx.damaged.add(damage(one, 5, 20))
        await tx.damaged.add(damage(one, 3, 10))
        await tx.damaged.add({ ...damage(one, 3, 10), problem: 'again' })
        await tx.damaged.add(damage(two, 4, 15))
        expect((await tx.damaged.all()).map((row) => row.putSequence)).to.deep.equal([3, 4, 5])
        expect((await tx.damaged.all())[0]).to.deep.equal(damage(one, 3, 10))
        expect(await tx.damaged.newest(one, packId(0))).to.equal(5)
        expect(await tx.damaged.newest(one, packId(1))).to.equal(undefined)
        await tx.damaged.remove(damage(one, 5, 20))
        expect(await tx.damaged.newest(one, packId(0))).to.equal(3)
        await tx.damaged.dropNode(one)
        expect(await tx.damaged.all()).to.deep.equal([damage(two, 4, 15)])
      })
    })

    it('of packs that nobody knows are counted, and only the newest report holds', async () => {
      await catalogue.write(async (tx) => {
        const { one, two } = await addBase(tx)
        const unknown = (n: number) => ({ packId: packId(50 + n), putSequence: n, lengthBytes: 10 })
        expect(await tx.unknownPacks.put(one, 1, [unknown(1), unknown(2)])).to.equal(2)
        expect(await tx.unknownPacks.put(one, 2, [unknown(2), unknown(3)])).to.equal(1)
        await tx.unknownPacks.put(two, 1, [unknown(1)])
        await tx.unknownPacks.keepOnly(one, 2)
        const counts = (await tx.unknownPacks.counts()).map((row) => ({ ...row }))
        expect(counts).to.deep.equal([
          { node: one, packs: 2, bytes: 20 },
          { node: two, packs: 1, bytes: 10 },
        ])
        expect((await tx.unknownPacks.ofNode(one, 1)).map((row) => row.putSequence)).to.deep.equal([2])
        await tx.unknownPacks.dropNode(one)
        expect(await tx.unknownPacks.counts()).to.have.length(1)
      })
    })

    it('have nodes whose decisions and last lists are remembered', async () => {
      await catalogue.write(async (tx) => {
        const { one } = await addBase(tx)
        expect((await tx.nodes.setAdmin(one, 'draining')).admin).to.equal('draining')
        expect((await tx.nodes.all())[0]?.admin).to.equal('draining')
        const numbers = { registrationNumber: 2, reportNumber: 7, asOfPutSequence: 99 }
        await tx.nodes.tookInventory(one, numbers)
        expect(await tx.nodes.inventory(one)).to.deep.include(numbers)
        expect((await tx.nodes.inventory(one)).copiesDigest).to.have.length(32)
      })
    })

    it('are ordered away by orders that are found by pack', async () => {
      await catalogue.write(async (tx) => {
        const { one, two } = await addBase(tx)
        const row = (await tx.nodes.all())[0]!
        const order = (orderId: string, n: number) => ({
          orderId,
          action: {
            kind: 'drop-pack' as const,
            packId: packId(n),
            incarnation: row.ref.incarnation,
            putSequenceMax: 4,
            generationMax: 3,
          },
        })
        await tx.orders.add(one, order('a', 0))
        await tx.orders.add(two, order('b', 0))
        await tx.orders.add(two, order('c', 1))
        const found = await tx.orders.ofPack(packId(0))
        expect(found).to.deep.equal([
          { ...order('a', 0), node: one },
          { ...order('b', 0), node: two },
        ])
        expect(await tx.orders.remove(two, 'b')).to.deep.equal(order('b', 0))
        expect(await tx.orders.remove(two, 'b')).to.equal(undefined)
      })
    })
  })
}
