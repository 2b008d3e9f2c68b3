import { expect } from 'chai'
import { randomHexId } from '../../../src/core/ids.ts'
import type { Incarnation, PackId, SessionId } from '../../../src/core/ids.ts'
import type { Receipt } from '../../../src/core/model.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { repairSession, takeReceipt } from '../../../src/manager/copy-receipt.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, chunk, resultOf } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

describe('the receipt of a copy that the manager ordered', () => {
  let cluster: PaperCluster
  let packId: PackId
  let target: PaperNode
  let sign: (more?: Parameters<PaperNode['receipt']>[2]) => Receipt

  beforeEach(async () => {
    cluster = await PaperCluster.start(3)
    const { ticket, packId: id } = await cluster.store(await cluster.begin(), [chunk('a')])
    packId = id
    target = cluster.nodes.find((node) => !node.holdings.has(id)) as PaperNode
    sign = (more) => target.receipt(ticket, blake3(Buffer.from(id)), { sessionId: repairSession, ...more })
  })

  const take = (receipt: Receipt): Promise<boolean> =>
    cluster.catalogue.write(async (tx) => (await takeReceipt(tx, receipt)) !== undefined)

  const copies = (): Promise<number> =>
    cluster.catalogue.read(async (tx) => {
      const pack = await tx.packs.find(packId)
      return (await tx.copies.of([pack?.id ?? 0]))[0]?.length ?? 0
    })

  it('makes a copy, once', async () => {
    const receipt = sign()
    expect(await take(receipt)).to.equal(true)
    expect(await take(receipt)).to.equal(true)
    expect(await copies()).to.equal(3)
  })

  it('makes none when it is forged, of another session, or for other bytes', async () => {
    const { claims, signature } = sign()
    await expectError(take({ claims, signature: Buffer.from(signature).fill(1) }), 'permission-denied')
    await expectError(take(sign({ sessionId: '1'.repeat(32) as SessionId })), 'permission-denied')
    await expectError(take(sign({ digest: new Uint8Array(32) })), 'integrity')
    await expectError(take(sign({ lengthBytes: 99_999 })), 'integrity')
    expect(await copies()).to.equal(2)
  })

  it('makes none when it is of an earlier life of the store', async () => {
    const receipt = sign()
    target.incarnation = randomHexId<Incarnation>(cluster.random)
    await target.register({ bootId: randomHexId(cluster.random) })
    expect(await take(receipt)).to.equal(false)
    expect(await copies()).to.equal(2)
  })

  it('makes none when a later list of the node does not have it', async () => {
    const receipt = sign()
    target.holdings.clear()
    await target.reportInventory()
    expect(await take(receipt)).to.equal(false)
  })

  it('makes none when the copy turned out to be damaged', async () => {
    const receipt = sign()
    const { putSequence } = target
    await target.heartbeat({ damaged: [{ packId, putSequence, problem: 'rot', foundAtMs: 1 }] })
    expect(await take(receipt)).to.equal(false)
  })

  it('makes none when the node was ordered to drop it', async () => {
    const receipt = sign()
    await cluster.catalogue.write(async (tx) => {
      const node = await tx.nodes.find(target.id)
      await tx.orders.add(node?.id ?? 0, {
        orderId: 'x',
        action: {
          kind: 'drop-pack',
          packId,
          incarnation: target.incarnation,
          putSequenceMax: target.putSequence,
          generationMax: 1,
        },
      })
    })
    expect(await take(receipt)).to.equal(false)
  })

  it('makes none when it comes with a late heartbeat: newer ones had it, too, and it may have gone since', async () => {
    const results = [resultOf('asked for by another manager', { receipt: sign() })]
    await target.heartbeat({ sequence: 1, results })
    expect(await copies()).to.equal(2)
    await target.heartbeat({ results })
    expect(await copies()).to.equal(3)
  })
})
