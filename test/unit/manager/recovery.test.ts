import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { BackupDeps } from '../../../src/client/backup-request.ts'
import { runBackup } from '../../../src/client/backup.ts'
import { runPutFile } from '../../../src/client/put-file.ts'
import { randomHexId } from '../../../src/core/ids.ts'
import type { SnapshotId } from '../../../src/core/ids.ts'
import { nodeDeadAfterMs } from '../../../src/core/limits.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { inlineCodec } from '../../../src/format/codec.ts'
import type { Catalogue } from '../../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import { appendToLog } from '../../../src/manager/commit-log.ts'
import { Manager } from '../../../src/manager/manager.ts'
import { Recovery } from '../../../src/manager/recovery/recovery.ts'
import type { RecoverySummary } from '../../../src/manager/recovery/summary.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { expectError } from '../../support/expect-error.ts'
import { MemorySource } from '../../support/memory-source.ts'
import { NodeCluster } from '../../support/node-cluster.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { readSnapshot } from '../../support/snapshot-content.ts'
import { anyFilter, firstPage } from './cluster-fixture.ts'

describe('a recovery from the nodes', () => {
  const clock = new AutoClock()
  const random = new SeededRandom(5)
  let directory = ''
  let catalogue: Catalogue
  let cluster: NodeCluster
  let source: MemorySource
  let deps: BackupDeps

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-recovery-'))
    catalogue = openSqliteCatalogue(at('first'))
    cluster = await NodeCluster.start(['n1', 'n2', 'n3'], { clock, random, catalogue })
    source = new MemorySource()
    deps = {
      ...cluster.clientPorts,
      ...{ clock, random, logger: silentLogger, codec: inlineCodec, clientId: randomHexId<string>(random) },
      ...{ hostName: 'machine', userName: 'somebody', program: 'test' },
    }
  })
  afterEach(async () => {
    await catalogue.close()
    rmSync(directory, { recursive: true })
  })

  const at = (name: string): string => join(directory, `${name}.db`)

  async function backup(path: string, content: string): Promise<string> {
    source.file(`/src/${path}`, Buffer.from(content))
    const { snapshot } = await runBackup(deps, { source, paths: [Buffer.from('/src')] })
    return snapshot?.id ?? ''
  }

  async function* text(content: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(content)
  }
  const put = (name: string, content: string): Promise<unknown> => runPutFile(deps, { name }, text(content))

  async function beats(rounds = 4): Promise<void> {
    for (let round = 0; round < rounds; round++) await cluster.beatAll()
  }

  /** The manager goes on with the catalogue in a file. */
  async function open(name: string): Promise<void> {
    catalogue = openSqliteCatalogue(at(name))
    cluster.manager = await Manager.open({ catalogue, clock, random, logger: silentLogger })
    await beats()
  }

  async function recover(
    older?: string,
    without: readonly string[] = [],
    into = 'recovered',
  ): Promise<RecoverySummary> {
    const fresh = openSqliteCatalogue(at(into))
    const old = older === undefined ? undefined : openSqliteCatalogue(at(older))
    const recovery = await Recovery.open({ catalogue: fresh, older: old, without, clock, random, logger: silentLogger })
    cluster.recovery = recovery
    await beats()
    expect(recovery.missing).to.deep.equal([])
    expect(recovery.ready).to.equal(true)
    const summary = await recovery.finish()
    await fresh.close()
    await old?.close()
    cluster.recovery = undefined
    await open(into)
    return summary
  }

  async function snapshots(): Promise<string[]> {
    return (await cluster.manager.listSnapshots(anyFilter, firstPage)).items.map((item) => item.snapshotId)
  }
  const status = (): ReturnType<Manager['getStatus']> => cluster.manager.getStatus()

  it('has every snapshot, file and deletion of a catalogue that is lost', async () => {
    const ids = [await backup('a', 'one'), await backup('b', 'two')]
    await put('kept', 'first')
    await put('kept', 'second')
    await put('gone', 'first')
    const deletion = await cluster.manager.deleteFile({ vault: '', name: 'gone', actor: 'me' })
    const before = await cluster.manager.listSnapshots(anyFilter, firstPage)
    await beats()
    await catalogue.close()
    const summary = await recover()
    expect(summary).to.deep.include({ snapshots: 2, files: 3, surplus: [], incomplete: [], damaged: [], lost: [] })
    expect(await snapshots()).to.deep.equal(ids)
    const after = await cluster.manager.listSnapshots(anyFilter, firstPage)
    const numbers = (page: typeof before): unknown[] =>
      page.items.map(({ commitSequence, committedAtMs, durability }) => [
        commitSequence,
        committedAtMs,
        durability.copies,
      ])
    expect(numbers(after)).to.deep.equal(numbers(before))
    const { entries } = await readSnapshot(cluster, ids[1] ?? '')
    expect([...entries.keys()].some((path) => path.endsWith('b'))).to.equal(true)
    const files = await cluster.manager.listFileVersions({ vault: '', name: '', prefix: '', version: 0, ...firstPage })
    expect(files.items.map(({ name, version }) => [name, version])).to.deep.equal([['kept', 2]])
    const gone = await cluster.manager.listFileVersions({
      vault: '',
      name: 'gone',
      prefix: '',
      version: 0,
      ...firstPage,
    })
    expect(
      gone.items.map(({ version, deleted, createdAtMs }) => [version, deleted, deleted ? createdAtMs : 0]),
    ).to.deep.equal([
      [2, true, deletion.createdAtMs],
      [1, false, 0],
    ])
    expect(await status()).to.include({ lineage: 'verified', snapshots: 2 })
    const again = await backup('c', 'three')
    expect(await snapshots()).to.deep.equal([...ids, again])
  })

  it('knows what is in the trash, what is pinned, and what was removed for good', async () => {
    const ids = [await backup('a', 'one'), await backup('b', 'two'), await backup('c', 'three'), await backup('d', '4')]
    const [trashed, pinned, removed, plain] = ids as [SnapshotId, SnapshotId, SnapshotId, SnapshotId]
    const { admin } = cluster.manager
    const who = { vault: '', actor: 'me' }
    await admin.forgetSnapshots({ ...who, snapshotIds: [trashed], now: false })
    await admin.pinSnapshots({ ...who, snapshotIds: [pinned], pinned: true, reason: 'for the tax office' })
    await admin.forgetSnapshots({ ...who, snapshotIds: [removed], now: true })
    await admin.tagSnapshots({ ...who, snapshotIds: [pinned], add: ['tax'], remove: [], clear: true })
    await admin.prune({ dryRun: false, findRepackable: false, unusedPermilleMax: undefined })
    for (let step = 0; step < 50; step++) await cluster.manager.sweep()
    await beats()
    await catalogue.close()
    await recover()
    expect(await snapshots()).to.deep.equal([pinned, plain])
    const rows = await catalogue.read((tx) => Promise.all(ids.map((id) => tx.snapshots.find(id as SnapshotId))))
    expect(rows.map((row) => row?.pin)).to.deep.equal([undefined, 'for the tax office', undefined, undefined])
    expect(rows.map((row) => row?.tags)).to.deep.equal([undefined, ['tax'], undefined, undefined])
    expect(rows[0]?.expiresAtMs).to.be.greaterThan(clock.nowMs())
    expect(rows[2]).to.equal(undefined)
    await cluster.manager.admin.undeleteSnapshots({ ...who, snapshotIds: [trashed] })
    expect(await snapshots()).to.deep.equal([trashed, pinned, plain])
  })

  it('carries no decision out again whose request arrives once more, late', async () => {
    const snapshotIds = [(await backup('a', 'one')) as SnapshotId]
    const about = (requestId: string) => ({ vault: '', actor: 'me', snapshotIds, requestId })
    await cluster.manager.admin.forgetSnapshots({ ...about('f1'), now: false })
    await cluster.manager.admin.undeleteSnapshots(about('u1'))
    await beats()
    await catalogue.close()
    expect(await recover()).to.deep.include({ unknown: [] })
    await cluster.manager.admin.forgetSnapshots({ ...about('f1'), now: false })
    expect(await snapshots()).to.deep.equal(snapshotIds)
    await cluster.manager.admin.forgetSnapshots({ ...about('f2'), now: false })
    expect(await snapshots()).to.deep.equal([])
  })

  it('takes an older catalogue and what only the nodes know together', async () => {
    const early = await backup('a', 'one')
    await catalogue.close()
    copyFileSync(at('first'), at('older'))
    await open('first')
    const late = await backup('b', 'two')
    await beats()
    await catalogue.close()
    await open('older')
    expect((await status()).lineage).to.equal('rolled-back')
    await expectError(backup('c', 'three'), 'failed-precondition')
    await catalogue.close()
    const summary = await recover('older')
    expect(summary).to.deep.include({ surplus: [], incomplete: [] })
    expect(await snapshots()).to.deep.equal([early, late])
    expect(await status()).to.include({ lineage: 'verified' })
    const { items } = await cluster.manager.listHistory('backup', firstPage)
    expect(items.map((item) => item.snapshotId)).to.deep.equal([late, early])
  })

  it('brings two histories together when an older catalogue was written to', async () => {
    const early = await backup('a', 'one')
    await catalogue.close()
    copyFileSync(at('first'), at('older'))
    await open('first')
    const late = await backup('b', 'two')
    await beats()
    await catalogue.close()
    // Nobody who knows better is asked: the older catalogue goes on without the nodes saying what they know.
    const logs = cluster.nodes.map((node) => node.log.report.bind(node.log))
    for (const node of cluster.nodes) node.log.report = () => ({})
    catalogue = openSqliteCatalogue(at('older'))
    cluster.manager = await Manager.open({ catalogue, clock, random, logger: silentLogger })
    const forked = await expectError(backup('c', 'three'), 'failed-precondition', 'not-enough-nodes')
    expect(forked.message).to.contain('was saved')
    cluster.nodes.forEach((node, index) => (node.log.report = logs[index] ?? node.log.report))
    // Its log is the longer one, and so becomes the main one: the nodes must take it instead of theirs.
    for (let more = 0; more < 9; more++) await catalogue.write((tx) => appendToLog(tx, 'epoch', { epoch: more }))
    await catalogue.close()
    const summary = await recover('older')
    expect((await snapshots()).slice(0, 2)).to.deep.equal([early, late])
    expect(await snapshots()).to.have.length(3)
    expect(summary.surplus).to.deep.equal([])
    await beats()
    expect(await status()).to.include({ lineage: 'verified' })
    const newest = await catalogue.read((tx) => tx.log.newest())
    for (const node of cluster.nodes) expect(node.log.report().log?.sequence).to.equal(newest?.sequence)
    const all = await snapshots()
    const entries = await catalogue.read((tx) => tx.log.after(0, 1000))
    const committed = entries
      .filter(({ kind }) => kind === 'commit')
      .map(({ payload }) => Buffer.from(payload).toString())
    for (const id of all)
      expect(
        committed.some((fields) => fields.includes(id)),
        'on the one log',
      ).to.equal(true)
    await catalogue.close()
    cluster.kill('n1')
    // From what two nodes have now, without either of the old catalogues.
    const again = await recover(undefined, ['n1'], 'again')
    expect(again.surplus).to.deep.equal([])
    expect(await snapshots()).to.deep.equal(all)
  })

  it('reports what was never committed, and keeps it', async () => {
    const first = await backup('a', 'one')
    cluster.faults.before = (call) => {
      if (call === 'commitSnapshot') throw new Error('the client dies here')
    }
    let died = false
    await backup('b', 'two').catch(() => (died = true))
    expect(died).to.equal(true)
    cluster.faults = {}
    await beats()
    await catalogue.close()
    const summary = await recover()
    expect(summary.surplus).to.have.length(1)
    expect(await snapshots()).to.deep.equal([first, ...summary.surplus])
  })

  it('leaves out snapshots that are not complete, and trees that would make others so', async () => {
    const kept = await backup('a', 'one')
    const broken = await backup('b', 'x'.repeat(100_000))
    await beats()
    const data = cluster.records('data').at(-1)
    for (const node of cluster.nodes) {
      const pack = [...cluster.packs.values()].find(({ entries }) => data !== undefined && entries.includes(data))
      if (pack !== undefined) await node.store.remove(pack.packId, { generationMax: 9 })
    }
    await catalogue.close()
    const summary = await recover()
    expect(summary.incomplete).to.deep.equal([broken])
    expect(await snapshots()).to.deep.equal([kept])
    const trees = cluster.records('tree').slice(-1)
    const found = await catalogue.read((tx) =>
      tx.chunks.find(
        1,
        trees.map(({ chunkId }) => chunkId),
      ),
    )
    expect(found, 'a tree of which parts are nowhere').to.deep.equal([undefined])
    const again = await backup('b', 'x'.repeat(100_000))
    expect(await snapshots()).to.deep.equal([kept, again])
  })

  it('waits for all nodes that any log names, or goes on without them and deletes nothing', async () => {
    await backup('a', 'one')
    await beats()
    await catalogue.close()
    cluster.kill('n3')
    const fresh = openSqliteCatalogue(at('waiting'))
    const waiting = await Recovery.open({ catalogue: fresh, without: [], clock, random, logger: silentLogger })
    cluster.recovery = waiting
    await beats()
    expect([waiting.ready, waiting.missing]).to.deep.equal([false, ['n3']])
    await fresh.close()
    const summary = await recover(undefined, ['n3'])
    expect(summary.lost).to.deep.equal(['n3'])
    const after = await status()
    expect(after.lineage).to.equal('verified')
    expect(after.lineageProblem).to.contain('nothing is deleted')
  })

  it('goes on without a node by its id when two that are missing had its name', async () => {
    await backup('a', 'one')
    await beats()
    const former = randomHexId<string>(random)
    await catalogue.write((tx) => appendToLog(tx, 'node', { nodeId: former, name: 'n3' }))
    await catalogue.close()
    const missing = async (without: readonly string[]): Promise<string[]> => {
      const ports = { clock, random, logger: silentLogger, without }
      const [fresh, older] = [openSqliteCatalogue(':memory:'), openSqliteCatalogue(at('first'))]
      cluster.recovery = await Recovery.open({ ...ports, catalogue: fresh, older })
      await beats()
      const names = (cluster.recovery as Recovery).missing
      for (const each of [fresh, older]) await each.close()
      return names
    }
    expect(await missing(['n3']), 'the other one is there').to.deep.equal([])
    cluster.kill('n3')
    const { nodeId } = cluster.node('n3').ref
    const both = [`n3 (${former})`, `n3 (${nodeId})`].sort()
    expect((await missing(['n3'])).sort()).to.deep.equal(both)
    expect(await missing([former, nodeId])).to.deep.equal([])
  })

  it('waits no more for a node that is lost for good when somebody has taken it out', async () => {
    await backup('a', 'one')
    await beats()
    await catalogue.close()
    cluster.kill('n3')
    await recover(undefined, ['n3'])
    const remove = (): Promise<unknown> =>
      cluster.manager.nodeAdmin.removeNode({ node: 'n3', actor: 'ada', force: false, dryRun: false })
    await expectError(remove(), 'failed-precondition')
    await clock.sleep(nodeDeadAfterMs)
    await beats()
    await remove()
    expect(await status()).to.include({ lineage: 'verified', lineageProblem: '' })
    await catalogue.close()
    await open('recovered')
    expect(await status()).to.include({ lineage: 'verified', lineageProblem: '' })
  })

  it('needs another one when a node that was away has packs that nobody knows', async () => {
    await backup('a', 'one')
    await beats()
    await catalogue.close()
    cluster.kill('n3')
    await recover(undefined, ['n3'])
    const report = async (packs: number): Promise<void> => {
      const { nodeId, incarnation } = cluster.node('n3').ref
      const info = await catalogue.read((tx) => tx.nodes.find(nodeId))
      const pack = { generation: 1, putSequence: 1, lengthBytes: 1, provenAtMs: 0 }
      await cluster.manager.reportInventory({
        ...{ nodeId, incarnation, registrationNumber: info?.registrationNumber ?? 0 },
        ...{ reportNumber: packs, asOfPutSequence: 1 },
        packs: Array.from({ length: packs }, () => ({ packId: randomHexId(random), ...pack })),
      })
    }
    cluster.revive('n3')
    // Only so far that it has registered: it is asked for its own list next.
    for (let beat = 0; beat < 2; beat++) await cluster.node('n3').heartbeat.beat(new AbortController().signal)
    expect((await status()).lineageProblem).to.contain('nothing is deleted')
    await report(1)
    expect(await status()).to.include({ lineage: 'rolled-back' })
    await expectError(backup('b', 'two'), 'failed-precondition')
  })

  it('is complete when a node that was away has nothing new', async () => {
    await backup('a', 'one')
    await beats()
    await catalogue.close()
    cluster.kill('n3')
    await recover(undefined, ['n3'])
    cluster.revive('n3')
    await beats()
    const { nodeId, incarnation } = cluster.node('n3').ref
    const registrationNumber = (await catalogue.read((tx) => tx.nodes.find(nodeId)))?.registrationNumber ?? 0
    const header = { nodeId, incarnation, registrationNumber, reportNumber: 1, asOfPutSequence: 1 }
    await cluster.manager.reportInventory({ ...header, packs: [] })
    expect(await status()).to.include({ lineage: 'verified', lineageProblem: '' })
    await catalogue.close()
    await open('recovered')
    expect(await status()).to.include({ lineageProblem: '' })
  })

  it('takes in what a node says once, however often it says it', async () => {
    const id = await backup('a', 'one')
    await beats()
    await catalogue.close()
    const fresh = openSqliteCatalogue(at('recovered'))
    const recovery = await Recovery.open({ catalogue: fresh, without: [], clock, random, logger: silentLogger })
    let broken = 0
    cluster.recovery = {
      register: (request) => recovery.register(request),
      heartbeat: (heartbeat) => recovery.heartbeat(heartbeat),
      reportRecords: async (report) => {
        const torn = async function* (): AsyncGenerator<never> {
          let count = 0
          for await (const part of report.parts) {
            if (broken < 2 && count++ === 2) {
              broken += 1
              throw new Error('the stream broke')
            }
            yield part as never
          }
        }
        await recovery.reportRecords({ ...report, parts: torn() })
      },
    }
    await beats()
    expect([broken, recovery.ready]).to.deep.equal([2, true])
    const summary = await recovery.finish()
    expect(summary).to.include({ snapshots: 1, packs: cluster.packs.size })
    await fresh.close()
    cluster.recovery = undefined
    await open('recovered')
    expect(await snapshots()).to.deep.equal([id])
  })
})
