import { expect } from 'chai'
import type { Catalogue, CatalogueReader, CatalogueWriter } from '../../src/manager/catalogue.ts'
import type { CheckpointSeries } from '../../src/manager/catalogue-checkpoints.ts'
import { encodePackSet } from '../../src/manager/pack-set.ts'
import { id32 } from '../support/catalogue-rows.ts'
import type { CatalogueDriver } from './catalogue.contract.ts'

/** What the catalogue's contract says of checkpoints, on any driver. */
export function testCheckpoints(name: string, driver: CatalogueDriver): void {
  describe(`the catalogue contract of checkpoints, ${name}`, () => {
    let catalogue: Catalogue

    beforeEach(async () => {
      catalogue = await driver.open()
    })
    afterEach(() => catalogue.close())

    const series = (vault: number, host: string): CheckpointSeries => ({ vault, host, pathsKey: Buffer.from('/home') })

    async function put(tx: CatalogueWriter, host: string, createdAtMs: number): Promise<void> {
      if ((await tx.vaults.all()).length === 0) {
        await tx.vaults.add({ name: 'default', vaultId: id32(1).subarray(0, 16), copies: 2, minCopies: 2 })
      }
      const vault = (await tx.vaults.byName('default'))?.id ?? 0
      const manifest = Buffer.from(`${host} ${createdAtMs}`)
      const packs = encodePackSet([createdAtMs])
      await tx.checkpoints.put({ ...series(vault, host), tree: id32(5), manifest, createdAtMs, packs })
    }

    /** Of all: number and time. */
    async function all(tx: CatalogueReader): Promise<number[][]> {
      return (await tx.checkpoints.page(1, 0, 100)).map(({ number, createdAtMs }) => [number, createdAtMs])
    }

    it('keeps one of each host and set of paths, each under a number of its own', async () => {
      await catalogue.write(async (tx) => {
        await put(tx, 'a', 1)
        await put(tx, 'b', 2)
        await put(tx, 'a', 3)
      })
      await catalogue.read(async (tx) => {
        expect(await all(tx)).to.deep.equal([
          [2, 2],
          [3, 3],
        ])
        const found = await tx.checkpoints.find(series(1, 'a'))
        expect(found).to.include({ number: 3, vault: 1, createdAtMs: 3 })
        expect(Buffer.from(found?.manifest ?? []).toString()).to.equal('a 3')
        expect(Buffer.from(found?.tree ?? [])).to.deep.equal(Buffer.from(id32(5)))
        expect(await tx.checkpoints.find({ ...series(1, 'a'), pathsKey: Buffer.from('/') })).to.equal(undefined)
        expect(await tx.checkpoints.find(series(2, 'a'))).to.equal(undefined)
        const [next] = await tx.checkpoints.sets(2, 1)
        expect(next).to.include({ number: 3, vault: 1 })
        expect(Buffer.from(next?.packs ?? [])).to.deep.equal(Buffer.from(encodePackSet([3])))
      })
    })

    it('gives no number twice, and forgets what it is told to', async () => {
      await catalogue.write(async (tx) => {
        for (const [host, atMs] of [
          ['a', 30],
          ['b', 20],
          ['c', 10],
        ] as const) {
          await put(tx, host, atMs)
        }
        expect(await tx.checkpoints.removeUntil(9, 10)).to.equal(0)
        expect(await tx.checkpoints.removeUntil(20, 1)).to.equal(1)
        expect(await tx.checkpoints.removeUntil(20, 10)).to.equal(1)
        expect(await all(tx)).to.deep.equal([[1, 30]])
        await tx.checkpoints.remove(series(1, 'other'))
        await tx.checkpoints.remove(series(1, 'a'))
        expect(await all(tx)).to.deep.equal([])
        await put(tx, 'a', 40)
        expect(await all(tx)).to.deep.equal([[4, 40]])
      })
    })

    it('keeps the newest when it is trimmed', async () => {
      await catalogue.write(async (tx) => {
        for (const host of ['a', 'b', 'c', 'd']) await put(tx, host, 1)
        await tx.checkpoints.trim(4)
        expect((await all(tx)).length).to.equal(4)
        await tx.checkpoints.trim(2)
        expect((await all(tx)).map(([number]) => number)).to.deep.equal([3, 4])
        await tx.checkpoints.trim(0)
        expect(await all(tx)).to.deep.equal([])
      })
    })

    it('says that sets changed when one is rewritten', async () => {
      await catalogue.write(async (tx) => {
        await put(tx, 'a', 1)
        const before = await tx.packs.setsVersion()
        await tx.checkpoints.setPacks(1, encodePackSet([7, 9]))
        expect(await tx.packs.setsVersion()).not.to.equal(before)
        const [row] = await tx.checkpoints.sets(0, 1)
        expect(Buffer.from(row?.packs ?? [])).to.deep.equal(Buffer.from(encodePackSet([7, 9])))
      })
    })

    if (driver.reopen !== undefined) {
      it('are there after a restart', async () => {
        await catalogue.write((tx) => put(tx, 'a', 1))
        catalogue = (await driver.reopen?.(catalogue)) ?? catalogue
        expect(await catalogue.read((tx) => all(tx))).to.deep.equal([[1, 1]])
      })
    }
  })
}
