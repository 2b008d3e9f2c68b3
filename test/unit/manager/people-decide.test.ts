import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SnapshotId } from '../../../src/core/ids.ts'
import type { Order } from '../../../src/core/messages.ts'
import { shutdownNodesMs, shutdownTellMs, tagsPerSnapshotMax } from '../../../src/core/request-limits.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, firstPage, resultOf } from './cluster-fixture.ts'

const about = (snapshotIds: readonly SnapshotId[]) => ({ vault: '', snapshotIds, actor: 'me' })
const nothing = { add: [], remove: [], clear: false }

describe('tags that are given later', () => {
  let cluster: PaperCluster
  let id: SnapshotId
  beforeEach(async () => {
    cluster = await PaperCluster.start(2)
    id = (await cluster.backup(['a'], { tags: ['daily', 'web'] })).snapshotId
  })

  const tags = async (): Promise<readonly string[] | undefined> =>
    (await cluster.manager.getSnapshot(id, anyFilter)).tags
  const chosen = async (...wanted: string[]): Promise<number> =>
    (await cluster.manager.listSnapshots({ ...anyFilter, tags: wanted }, firstPage)).items.length

  it('are added, taken away and set, and snapshots are chosen by what they have now', async () => {
    const { admin } = cluster.manager
    expect(await tags()).to.equal(undefined)
    await admin.tagSnapshots({ ...about([id]), ...nothing, add: ['keep', 'web'], remove: ['daily'] })
    expect(await tags()).to.deep.equal(['web', 'keep'])
    expect([await chosen('keep'), await chosen('daily'), await chosen('web', 'keep')]).to.deep.equal([1, 0, 1])
    await admin.tagSnapshots({ ...about([id]), ...nothing, clear: true, add: ['only'] })
    expect(await tags()).to.deep.equal(['only'])
    const { items } = await cluster.manager.listHistory('tag', firstPage)
    expect(items.map((item) => [item.snapshotId, item.actor])).to.deep.equal([
      [id, 'me'],
      [id, 'me'],
    ])
  })

  it('change nothing, and are not recorded, when they are there already', async () => {
    await cluster.manager.admin.tagSnapshots({ ...about([id]), ...nothing, add: ['web'] })
    expect(await tags()).to.equal(undefined)
    expect((await cluster.manager.listHistory('tag', firstPage)).items).to.deep.equal([])
  })

  it('are refused when they are none, or too many', async () => {
    const { admin } = cluster.manager
    for (const tag of ['', 'a,b', 'x'.repeat(257)]) {
      await expectError(admin.tagSnapshots({ ...about([id]), ...nothing, add: [tag] }), 'invalid-argument')
    }
    const many = Array.from({ length: tagsPerSnapshotMax }, (_, at) => `t${at}`)
    const error = await expectError(admin.tagSnapshots({ ...about([id]), ...nothing, add: many }), 'invalid-argument')
    expect(error.message).to.include(`more than ${tagsPerSnapshotMax}`)
    const file = await cluster.backup(['b'], { fileName: 'f', paths: [] })
    await expectError(
      admin.tagSnapshots({ ...about([file.snapshotId]), ...nothing, add: ['x'] }),
      'failed-precondition',
    )
  })
})

describe('a deletion of a file', () => {
  it('is carried out once for each request id: an old one does not delete what was put since', async () => {
    const cluster = await PaperCluster.start(2)
    const { manager } = cluster
    const request = { vault: '', name: 'f', actor: 'me', requestId: 'd1' }
    await cluster.backup(['1'], { fileName: 'f', paths: [] })
    const deletion = await manager.deleteFile(request)
    expect(deletion).to.deep.include({ version: 2, deleted: true })
    await cluster.backup(['2'], { fileName: 'f', paths: [] })
    expect(await manager.deleteFile(request)).to.deep.equal(deletion)
    const all = { vault: '', name: '', prefix: '', version: 0, ...firstPage }
    expect((await manager.listFileVersions(all)).items.map((file) => file.version)).to.deep.equal([3])
    await expectError(manager.deleteFile({ ...request, name: 'g' }), 'invalid-argument')
  })
})

describe('a catalogue that is an older copy', () => {
  let directory = ''
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'twofold-decide-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  it('takes no decision, and remembers none', async () => {
    const file = join(directory, 'catalogue.db')
    const cluster = await PaperCluster.start(3, { path: file })
    const { snapshotId } = await cluster.backup(['a'])
    await cluster.restart(() => copyFileSync(file, `${file}.old`))
    await cluster.heartbeatAll()
    await cluster.heartbeatAll()
    await cluster.backup(['b'])
    await cluster.heartbeatAll()
    await cluster.restart(() => copyFileSync(`${file}.old`, file))
    await cluster.heartbeatAll()
    expect((await cluster.manager.getStatus()).lineage).to.equal('rolled-back')
    const { admin } = cluster.manager
    const asked = { ...about([snapshotId]), requestId: 'r' }
    const decisions: (() => Promise<unknown>)[] = [
      () => admin.forgetSnapshots({ ...asked, now: false }),
      () => admin.undeleteSnapshots(asked),
      () => admin.pinSnapshots({ ...asked, pinned: true, reason: '' }),
      () => admin.tagSnapshots({ ...asked, ...nothing, add: ['x'] }),
      () => cluster.manager.deleteFile({ vault: '', name: 'f', actor: 'me', requestId: 'r' }),
      () => admin.forgetSnapshots({ ...about([snapshotId]), now: false }),
    ]
    for (const decide of decisions) {
      const error = await expectError(decide(), 'failed-precondition')
      expect(error.message, String(decide)).to.include('manager recover')
    }
    expect(await cluster.catalogue.read((tx) => tx.requests.find('r'))).to.equal(undefined)
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.have.length(1)
  })
})

describe('a shutdown of the cluster', () => {
  let cluster: PaperCluster
  beforeEach(async () => {
    cluster = await PaperCluster.start(2)
    await cluster.heartbeatAll()
  })

  const ask = (more: object = {}) => ({ dryRun: false, now: false, cancel: false, actor: 'me', ...more })
  const phase = async (): Promise<string> => (await cluster.manager.nodeAdmin.getShutdown()).phase
  const ended = (): Promise<boolean> =>
    Promise.race([
      cluster.manager.ended.then(() => true),
      new Promise<boolean>((resolve) => setImmediate(resolve, false)),
    ])
  /** The orders to stop that each node gets; `obey` has it answer. */
  async function stops(obey: boolean): Promise<Order[]> {
    const replies = await Promise.all(cluster.nodes.map((node) => node.heartbeat()))
    const orders = replies.flatMap((reply) => reply.orders.filter(({ action }) => action.kind === 'stop'))
    if (!obey) return orders
    for (const [at, node] of cluster.nodes.entries()) {
      const order = orders[at]
      if (order !== undefined) await node.heartbeat({ results: [resultOf(order.orderId)] })
    }
    return orders
  }

  it('waits for backups, tells the nodes, and ends the manager', async () => {
    const { nodeAdmin } = cluster.manager
    const session = await cluster.begin()
    expect(await nodeAdmin.shutDown(ask({ dryRun: true }))).to.deep.include({ phase: 'off', sessions: 1 })
    expect(await nodeAdmin.shutDown(ask())).to.deep.include({ phase: 'draining', sessions: 1, nodes: ['n1', 'n2'] })
    const refusal = await expectError(cluster.begin(), 'failed-precondition')
    expect(refusal.message).to.include('shut down')
    await cluster.manager.sweep()
    expect(await stops(false)).to.deep.equal([])
    await cluster.manager.endSession(session, 'done')
    await cluster.manager.sweep()
    expect(await phase()).to.equal('nodes')
    expect(await stops(true)).to.have.length(2)
    await cluster.manager.sweep()
    expect(await nodeAdmin.getShutdown()).to.deep.include({ phase: 'manager', nodes: [] })
    expect(await ended()).to.equal(false)
    cluster.clock.advance(shutdownTellMs)
    await cluster.manager.sweep()
    expect(await ended()).to.equal(true)
  })

  it('does not wait for backups when it is told not to, nor for ever for nodes', async () => {
    await cluster.begin()
    await cluster.manager.nodeAdmin.shutDown(ask())
    await cluster.manager.nodeAdmin.shutDown(ask({ now: true }))
    expect(await phase()).to.equal('nodes')
    expect(await stops(false)).to.have.length(2)
    cluster.clock.advance(shutdownNodesMs)
    await cluster.manager.sweep()
    expect(await cluster.manager.nodeAdmin.getShutdown()).to.deep.include({ phase: 'manager', nodes: ['n1', 'n2'] })
  })

  it('can be cancelled until the nodes are told, and an old request does not begin it again', async () => {
    const { nodeAdmin } = cluster.manager
    await cluster.begin()
    await nodeAdmin.shutDown(ask({ requestId: 's1' }))
    await nodeAdmin.shutDown(ask({ cancel: true, requestId: 'c1' }))
    expect(await phase()).to.equal('off')
    await nodeAdmin.shutDown(ask({ requestId: 's1' }))
    expect(await phase()).to.equal('off')
    await cluster.begin()
    await nodeAdmin.shutDown(ask({ now: true }))
    await expectError(nodeAdmin.shutDown(ask({ cancel: true })), 'failed-precondition')
    const { items } = await cluster.manager.listHistory('shutdown', firstPage)
    expect(items).to.have.length(2)
  })
})
