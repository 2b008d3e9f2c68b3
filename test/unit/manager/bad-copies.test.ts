import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { badCopiesPerNodeMax, checkAgainAfterMs, checkAttemptsMax } from '../../../src/core/limits.ts'
import type { Order, OrderResult } from '../../../src/core/messages.ts'
import { CopyChecks } from '../../../src/manager/copy-checks.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { anyFilter, chunk, firstPage, PaperCluster } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

function answer(order: Order, more: Partial<OrderResult> = {}): OrderResult {
  return { orderId: order.orderId, done: true, problem: '', code: undefined, receipt: undefined, ...more }
}

describe('a copy that is said to be bad', () => {
  let cluster: PaperCluster
  let node: PaperNode
  let packId: PackId

  beforeEach(async () => {
    cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    packId = (await cluster.store(session, [chunk('a')])).packId
    node = cluster.nodes[0]!
  })

  const report = (more: object = {}): Promise<boolean> =>
    cluster.manager.reportBadCopy({ packId, nodeId: node.id, problem: 'it is rotten', ...more })
  const checks = async (results: readonly OrderResult[] = []): Promise<Order[]> =>
    (await node.heartbeat({ results })).orders.filter(({ action }) => action.kind === 'verify-pack')

  it('is checked by its node, which is told what must be in it, until that has answered', async () => {
    expect(await report()).to.equal(true)
    expect(await report(), 'once').to.equal(true)
    const [order, ...more] = await checks()
    expect(more).to.deep.equal([])
    const { chunkId, offset, length } = chunk('a')
    const expected = { chunkId, offset, length }
    expect(order?.action).to.deep.equal({ kind: 'verify-pack', packId, incarnation: node.incarnation, expected })
    expect(await checks()).to.deep.equal([order])
    expect((await cluster.nodes[1]!.heartbeat()).orders).to.deep.equal([])
    expect(await checks([answer(order!)])).to.deep.equal([])
  })

  it('counts as a copy whatever is said of it', async () => {
    await cluster.backup(['a', 'b'])
    await report()
    const copies = async (): Promise<number | undefined> =>
      (await cluster.manager.listSnapshots(anyFilter, firstPage)).items[0]?.durability.copies
    expect(await copies()).to.equal(2)
    const [order] = await checks()
    await checks([answer(order!)])
    expect(await copies()).to.equal(2)
  })

  it('is not checked again soon, whoever complains', async () => {
    await report()
    const [order] = await checks()
    await checks([answer(order!)])
    expect(await report()).to.equal(false)
    cluster.clock.advance(checkAgainAfterMs)
    expect(await report()).to.equal(true)
  })

  it('must be one that there is', async () => {
    await expectError(report({ packId: 'f'.repeat(32) }), 'not-found')
    await expectError(report({ nodeId: 'f'.repeat(32) }), 'not-found')
    const third = await cluster.addNode({ name: 'n3' })
    expect(await report({ nodeId: third.id })).to.equal(false)
    expect((await third.heartbeat()).orders).to.deep.equal([])
  })
})

describe('checks of copies', () => {
  const copy = (n: number) => ({ packId: `${n}` as PackId, incarnation: 'i' as PaperNode['incarnation'] })
  const newChecks = (): CopyChecks => new CopyChecks(new VirtualClock(), new SeededRandom(1))

  it('are given up when the node cannot carry them out again and again, and at once when it has no such copy', () => {
    const checks = newChecks()
    checks.order(1, copy(1))
    const failed = (): number => {
      const [order] = checks.ordersFor(1, 5)
      return checks.answered(1, [answer(order!, { done: false, problem: 'busy', code: 'overloaded' })]).length
    }
    for (let attempt = 1; attempt < checkAttemptsMax; attempt++) expect(failed()).to.equal(0)
    expect(failed()).to.equal(1)
    expect(checks.ordersFor(1, 5)).to.deep.equal([])
    checks.order(1, copy(2))
    const [order] = checks.ordersFor(1, 5)
    expect(checks.answered(1, [answer(order!, { done: false, code: 'not-found' })])).to.have.length(1)
    expect(checks.answered(1, [answer(order!)]), 'twice').to.deep.equal([])
  })

  it('are bounded for each node', () => {
    const checks = newChecks()
    for (let n = 0; n < badCopiesPerNodeMax; n++) expect(checks.order(1, copy(n))).to.equal(true)
    expect(checks.order(1, copy(-1))).to.equal(false)
    expect(checks.order(2, copy(-1))).to.equal(true)
  })

  it('of another life of the store are new ones', () => {
    const checks = newChecks()
    checks.order(1, copy(1))
    checks.order(1, { ...copy(1), incarnation: 'j' as PaperNode['incarnation'] })
    expect(
      checks.ordersFor(1, 5).map(({ action }) => action.kind === 'verify-pack' && action.incarnation),
    ).to.deep.equal(['j'])
  })
})
