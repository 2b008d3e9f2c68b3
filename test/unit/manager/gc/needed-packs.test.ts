import { expect } from 'chai'
import { condemnPacks } from '../../../../src/manager/gc/condemn.ts'
import { deletePacks } from '../../../../src/manager/gc/delete-packs.ts'
import { NeededPacks } from '../../../../src/manager/gc/needed-packs.ts'
import type { ManagerContext } from '../../../../src/manager/context.ts'
import { encodePackSet } from '../../../../src/manager/pack-set.ts'
import { PaperCluster, chunk } from '../cluster-fixture.ts'
import { checkInvariants, stateOf, uploadTrusting } from './gc-fixture.ts'

async function read(cluster: PaperCluster): Promise<NeededPacks> {
  const needed = new NeededPacks()
  while (await cluster.catalogue.read((tx) => needed.readSlice(tx)));
  return needed
}

/** What these decisions work with. */
function contextOf({ catalogue, random }: PaperCluster): ManagerContext {
  return { catalogue, random, pendingOrders: { giving: () => undefined } } as unknown as ManagerContext
}

const allRows = async ({ catalogue }: PaperCluster): Promise<number[]> =>
  (await catalogue.read((tx) => tx.packs.page(0, 1000))).map((pack) => pack.id)

describe('what is known to be needed', () => {
  it('is asked for again by the transaction that condemns', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const draft = await cluster.upload(session, ['a'])
    const needed = await read(cluster)
    await cluster.manager.commitSnapshot(draft)
    const condemned = await condemnPacks(contextOf(cluster), needed, await allRows(cluster))
    expect(condemned).to.deep.equal({ packs: 0, bytes: 0 })
    await checkInvariants(cluster)
  })

  it('is asked for again by the transaction that deletes, which gives back what is needed', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    const needed = await read(cluster)
    const draft = await uploadTrusting(cluster, session, 'a')
    await cluster.manager.commitSnapshot(draft)
    // As if a rule elsewhere had failed.
    await cluster.catalogue.write(async (tx) => tx.packs.condemn(await allRowsOf(tx), 0))
    const deleted = await deletePacks(contextOf(cluster), needed)
    expect(deleted).to.deep.equal({ packs: 0, bytes: 0, more: false })
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    await checkInvariants(cluster)
  })

  it('is read anew after a set was rewritten', async () => {
    const cluster = await PaperCluster.start(3)
    const { commitSequence } = await cluster.backup(['a'])
    const needed = await read(cluster)
    const rows = await allRows(cluster)
    const among = () => cluster.catalogue.read((tx) => needed.among(tx, rows))
    expect([...((await among()) ?? [])]).to.deep.equal(rows)
    await cluster.catalogue.write((tx) => tx.snapshots.setPacks(commitSequence, encodePackSet(rows.slice(1))))
    expect(await among()).to.equal(undefined)
    while (await cluster.catalogue.read((tx) => needed.readSlice(tx)));
    expect([...((await among()) ?? [])]).to.deep.equal(rows.slice(1))
  })

  it('follows chunks that were moved on and on, in whatever order that is told', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.backup(['a'])
    const session = await cluster.begin()
    for (const name of ['b', 'c', 'd']) await cluster.store(session, [chunk(name)])
    const rows = await allRows(cluster)
    const [first = 0] = rows
    const [b = 0, c = 0, d = 0] = rows.slice(-3)
    await cluster.catalogue.write((tx) => tx.packs.addMove(b, c))
    const needed = await read(cluster)
    const among = () => cluster.catalogue.read((tx) => needed.among(tx, [b, c, d]))
    expect(await among()).to.deep.equal(new Set())
    await cluster.catalogue.write((tx) => tx.packs.addMove(first, b))
    expect(await among()).to.deep.equal(new Set([b, c]))
    while (await cluster.catalogue.read((tx) => needed.readSlice(tx)));
    await cluster.catalogue.write((tx) => tx.packs.addMove(c, d))
    expect(await among()).to.deep.equal(new Set([b, c, d]))
  })
})

async function allRowsOf(tx: Parameters<Parameters<PaperCluster['catalogue']['write']>[0]>[0]): Promise<number[]> {
  return (await tx.packs.page(0, 1000)).map((pack) => pack.id)
}
