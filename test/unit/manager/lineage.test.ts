import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { nodeDeadAfterMs, sessionLeaseMs } from '../../../src/core/limits.ts'
import type { HeartbeatReply, Order } from '../../../src/core/messages.ts'
import type { LogPosition } from '../../../src/core/model.ts'
import { openWitness } from '../../../src/format/witness-statement.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, chunk, firstPage } from './cluster-fixture.ts'

/** What a node is ordered to destroy. */
function drops(reply: HeartbeatReply | undefined): Order['action'][] {
  const actions = (reply?.orders ?? []).map(({ action }) => action)
  return actions.filter(({ kind }) => kind === 'drop-pack')
}

describe('the lineage of a catalogue', () => {
  let directory = ''
  let file = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-lineage-'))
    file = join(directory, 'catalogue.db')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const start = (nodes: number): Promise<PaperCluster> => PaperCluster.start(nodes, { path: file })

  /** The catalogue as it is now, to be put back later. */
  async function copy(cluster: PaperCluster): Promise<void> {
    await cluster.restart(() => copyFileSync(file, `${file}.old`))
    await cluster.heartbeatAll()
    await cluster.heartbeatAll()
  }
  const putBack = (cluster: PaperCluster): Promise<void> => cluster.restart(() => copyFileSync(`${file}.old`, file))

  const lineage = async (cluster: PaperCluster): Promise<string> => (await cluster.manager.getStatus()).lineage

  it('is verified when the log begins, and after a restart when all but one have spoken', async () => {
    const cluster = await start(3)
    expect(await lineage(cluster)).to.equal('verified')
    await cluster.heartbeatAll()
    await cluster.restart()
    expect(await lineage(cluster)).to.equal('unverified')
    await cluster.nodes[0]?.heartbeat()
    expect(await lineage(cluster)).to.equal('unverified')
    await cluster.nodes[1]?.heartbeat()
    expect(await lineage(cluster)).to.equal('verified')
  })

  it('is not verified by stores that lost their logs', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    await cluster.restart()
    for (const node of cluster.nodes.slice(0, 2)) node.forgetLog()
    await cluster.heartbeatAll()
    const status = await cluster.manager.getStatus()
    expect(status.lineage).to.equal('unverified')
    expect(status.lineageProblem).to.contain('n1, n2 came back without a log')
  })

  it('ends no session before it is verified', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    const session = await cluster.begin()
    await cluster.allocate(session)
    await cluster.restart()
    cluster.clock.advance(nodeDeadAfterMs)
    await cluster.nodes[0]?.heartbeat()
    await cluster.manager.sweep()
    expect(await cluster.manager.getStatus()).to.include({ safeMode: false, sessionsOpen: 1 })
    await cluster.nodes[1]?.heartbeat()
    await cluster.manager.sweep()
    expect((await cluster.manager.getStatus()).sessionsOpen).to.equal(0)
  })

  it('is rolled back when a node knows a later commit: only reading is possible', async () => {
    const cluster = await start(3)
    const early = await cluster.backup(['a'])
    const session = await cluster.begin()
    await cluster.store(session, [chunk('open')])
    await copy(cluster)
    await cluster.backup(['b'])
    await cluster.heartbeatAll()
    await putBack(cluster)
    const replies = await Promise.all(cluster.nodes.map((node) => node.heartbeat()))
    expect(replies.map((reply) => [drops(reply), reply.logHead])).to.deep.equal([
      [[], undefined],
      [[], undefined],
      [[], undefined],
    ])
    const status = await cluster.manager.getStatus()
    expect(status.lineage).to.equal('rolled-back')
    expect(status.lineageProblem).to.match(/n1 knows entry \d+ of the log, and the catalogue/)
    const error = await expectError(cluster.begin(), 'failed-precondition')
    expect(error.message).to.contain('twofold manager recover --from-nodes')
    await expectError(cluster.manager.deleteFile({ vault: '', name: 'f', actor: 'me' }), 'failed-precondition')
    expect(
      (await cluster.manager.listSnapshots(anyFilter, firstPage)).items.map((item) => item.snapshotId),
    ).to.deep.equal([early.snapshotId])
    cluster.clock.advance(sessionLeaseMs * 2)
    await cluster.manager.sweep()
    expect((await cluster.manager.getStatus()).sessionsOpen, 'an open session is no evidence').to.equal(1)
    const { items } = await cluster.manager.listHistory('catalogue', firstPage)
    expect(items.map((item) => item.result)).to.deep.equal(['failed'])
  })

  it('stays rolled back over restarts', async () => {
    const cluster = await start(2)
    await copy(cluster)
    await cluster.backup(['b'])
    await cluster.heartbeatAll()
    await putBack(cluster)
    await cluster.nodes[0]?.heartbeat()
    await cluster.restart()
    expect(await lineage(cluster)).to.equal('rolled-back')
  })

  it('is told by the hash, not by the number: an older copy that went on is recognised', async () => {
    const cluster = await start(3)
    await copy(cluster)
    await cluster.backup(['b'])
    await cluster.heartbeatAll()
    await putBack(cluster)
    // Nobody but the catalogue itself: as if it went on by itself for a while.
    for (let more = 0; more < 5; more++) await cluster.catalogue.write((tx) => appendAny(tx))
    await cluster.restart()
    await cluster.nodes[0]?.heartbeat()
    expect((await cluster.manager.getStatus()).lineageProblem).to.contain('the catalogue has another one')
  })

  it('is rolled back by what a client had recorded alone', async () => {
    const cluster = await start(3)
    await copy(cluster)
    const committed = await cluster.backup(['b'])
    const key = cluster.nodes[0]?.registration?.managerPublicKey ?? new Uint8Array()
    const witnessed: LogPosition = openWitness(committed.statement, key).position
    await putBack(cluster)
    await cluster.nodes[2]?.heartbeat({ witnessed })
    expect(await lineage(cluster)).to.equal('rolled-back')
  })

  it('does not rest on the word of a node of which a copy of the catalogue may not know', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    await cluster.heartbeatAll()
    const wanted = async (name: string): Promise<number> => (await cluster.backup([name])).witnessesNeeded
    expect(await wanted('a')).to.equal(2)
    const joined = await cluster.addNode({ name: 'n4' })
    expect(await wanted('b'), 'no two of the others know that it is there').to.equal(3)
    const [one, , three] = cluster.nodes
    await cluster.restart()
    for (const node of [three, joined]) await node?.heartbeat()
    expect(await wanted('c'), 'also after a restart').to.equal(3)
    await three?.heartbeat()
    expect(await wanted('d'), 'one of them knows').to.equal(3)
    await one?.heartbeat()
    await one?.heartbeat()
    expect(await wanted('e')).to.equal(2)
  })

  it('takes the word of a new node when too few others are left', async () => {
    const cluster = await start(2)
    await cluster.heartbeatAll()
    await cluster.heartbeatAll()
    const [one, two] = cluster.nodes
    const joined = await cluster.addNode({ name: 'n3' })
    for (let minute = 0; minute < 10; minute++) {
      cluster.clock.advance(nodeDeadAfterMs / 5)
      await one?.heartbeat()
      await joined.heartbeat()
    }
    expect((await cluster.manager.listNodes()).map(({ state }) => state)).to.deep.equal(['up', 'dead', 'up'])
    expect((await cluster.backup(['a'])).witnessesNeeded).to.equal(2)
    await two?.settle()
    await two?.heartbeat()
    expect((await cluster.backup(['b'])).witnessesNeeded).to.equal(2)
  })

  it('a new epoch is written into the log only when it is verified', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    await cluster.restart()
    const before = await cluster.catalogue.read((tx) => tx.log.newest())
    await cluster.nodes[0]?.heartbeat()
    expect(await cluster.catalogue.read((tx) => tx.log.newest())).to.deep.equal(before)
    await cluster.nodes[1]?.heartbeat()
    const after = await cluster.catalogue.read((tx) => tx.log.newest())
    expect([after?.kind, after?.sequence]).to.deep.equal(['epoch', (before?.sequence ?? 0) + 1])
  })

  it('orders nothing destroyed before enough nodes have the entry that says so', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    const { row, logSequence } = await cluster.catalogue.write(async (tx) => {
      const [node] = await tx.nodes.all()
      if (node === undefined) throw new Error('no node')
      const head = await tx.log.newest()
      const sequence = (head?.sequence ?? 0) + 1
      const { incarnation } = node.ref
      const action = { kind: 'drop-pack', packId: 'a'.repeat(32), incarnation, putSequenceMax: 1, generationMax: 0 }
      await tx.orders.add(node.id, { orderId: 'o', logSequence: sequence, action: action as never })
      return { row: node, logSequence: sequence }
    })
    await cluster.restart()
    await cluster.heartbeatAll()
    const [first, second] = cluster.nodes
    expect(row.ref.name).to.equal('n1')
    // The epoch is the entry; n1 got it with its last heartbeat but nobody has said so.
    expect(drops(await first?.heartbeat()), 'only this node has it').to.deep.equal([])
    await second?.heartbeat()
    await second?.heartbeat()
    expect(drops(await first?.heartbeat())).to.have.length(1)
    expect((await cluster.catalogue.read((tx) => tx.log.newest()))?.sequence).to.equal(logSequence)
  })

  it('gives no orders that destroy before it is verified', async () => {
    const cluster = await start(3)
    await cluster.heartbeatAll()
    const session = await cluster.begin()
    const allocation = await cluster.allocate(session)
    await cluster.manager.abandonPack({ session, packId: allocation.packId, reason: '' })
    await cluster.restart()
    const primary = cluster.node(allocation.primary.nodeId)
    expect(drops(await primary.heartbeat())).to.deep.equal([])
    await cluster.heartbeatAll()
    expect(drops(await primary.heartbeat())).to.have.length(1)
  })

  it('of a catalogue without its file cannot be pretended: another cluster is refused', async () => {
    const cluster = await start(1)
    const clusterId = cluster.nodes[0]?.registration?.clusterId
    await cluster.catalogue.close()
    const other = new PaperCluster({ seed: 8 })
    await other.open()
    const node = other.addNode({ name: 'n1', clusterId })
    const error = await expectError(node, 'failed-precondition')
    expect(error.message).to.contain('recover --from-nodes')
    cluster.catalogue = openSqliteCatalogue(file)
  })
})

type Writer = Parameters<Parameters<PaperCluster['catalogue']['write']>[0]>[0]

async function appendAny(tx: Writer): Promise<void> {
  const { appendToLog } = await import('../../../src/manager/commit-log.ts')
  await appendToLog(tx, 'epoch', { epoch: 7, life: 'another' })
}
