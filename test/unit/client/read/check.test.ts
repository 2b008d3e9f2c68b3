import { expect } from 'chai'
import type { CheckEvent, CheckRequest, CheckSummary } from '../../../../src/client/check-request.ts'
import { partOf } from '../../../../src/client/check-packs.ts'
import type { PackId } from '../../../../src/core/ids.ts'
import type { PackEntry } from '../../../../src/core/model.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'
import { collect, RestoreBench } from '../../../support/restore-bench.ts'
import type { TestNode } from '../../../support/test-node.ts'

const all: CheckRequest = { readData: { kind: 'all' } }

describe('check', () => {
  let bench: RestoreBench
  let events: CheckEvent[]

  beforeEach(async () => {
    bench = await RestoreBench.start()
    events = []
    bench.source.file('/docs/a', bench.content(2_000_000))
    bench.source.file('/docs/b', bench.content(2_000_000))
    bench.source.file('/other/c', bench.content(100_000))
    await bench.backup()
  })

  const check = (request: CheckRequest = {}): Promise<CheckSummary> =>
    bench.client.check(request, { onEvent: (event) => events.push(event) })
  const found = <T extends CheckEvent['type']>(type: T): Extract<CheckEvent, { type: T }>[] =>
    events.filter((event): event is Extract<CheckEvent, { type: T }> => event.type === type)
  const packOf = (record: PackEntry): PackId =>
    [...bench.cluster.packs.values()].find(({ entries }) => entries.includes(record))!.packId
  const record = (): PackEntry => bench.cluster.records('data')[0]!
  const quarantined = (node: TestNode): PackId[] => [...node.store.quarantined()].map(({ packId }) => packId)

  it('finds nothing wrong where nothing is, with and without reading', async () => {
    const copies = 2 * bench.cluster.packs.size
    const well = { catalogueProblems: 0, packsDegraded: 0, packsLost: 0, copiesBad: 0, pathsHurt: 0 }
    expect(await check()).to.include({ ...well, packs: bench.cluster.packs.size, copiesRead: 0 })
    expect(
      bench.cluster.trace.filter((call) => call.startsWith('read')),
      'no node was asked',
    ).to.deep.equal([])
    const lengths = (await collect(bench.client.snapshotPacks((await bench.client.resolve('latest')).id))).map(
      ({ lengthBytes }) => lengthBytes,
    )
    const bytesRead = 2 * lengths.reduce((sum, length) => sum + length, 0)
    expect(await check(all)).to.include({ ...well, copiesRead: copies, bytesRead, copiesUnreachable: 0 })
    expect(events.filter(({ type }) => type !== 'progress')).to.deep.equal([])
  })

  it('finds a rotten copy, which its node puts aside', async () => {
    const [holder] = bench.cluster.holders(record())
    await bench.cluster.damage(record(), holder!, 500)
    expect(await check(), 'it reads nothing unless asked to').to.include({ copiesBad: 0 })
    expect(await check(all)).to.include({ copiesBad: 1, packsDegraded: 1, packsLost: 0, pathsHurt: 0 })
    const [copy] = found('copy')
    expect(copy).to.include({ packId: packOf(record()), verdict: 'bad' })
    expect(copy?.node.name).to.equal(holder!.name)
    expect(quarantined(holder!)).to.deep.equal([packOf(record())])
  })

  it('finds a copy that is cut off, and one that is gone', async () => {
    for (const change of ['cut', 'gone'] as const) {
      const [holder] = bench.cluster.holders(record())
      await replace(holder!, packOf(record()), (bytes) => (change === 'cut' ? bytes.subarray(0, 5000) : undefined))
      expect(await check(all), change).to.include({ copiesBad: 1 })
      expect(quarantined(holder!)).to.deep.equal([packOf(record())])
      bench = await RestoreBench.start()
      bench.source.file('/docs/a', bench.content(2_000_000))
      await bench.backup()
    }
  })

  it('finds another good pack in the place of one, and tells the manager what the node cannot know', async () => {
    bench.source.file('/more', bench.content(1_500_000))
    await bench.backup()
    const [one, two] = bench.cluster.packs.values()
    const holders = bench.cluster.nodes.filter((node) => node.store.stat(one!.packId) && node.store.stat(two!.packId))
    const [holder] = holders
    const other = await contentOf(holder!, two!.packId)
    await replace(holder!, one!.packId, () => other)
    expect(await check(all)).to.include({ copiesBad: 1, packsLost: 0 })
    expect(found('copy')[0]?.problem).to.match(/another pack|the end|damaged/)
    await bench.cluster.beatAll()
    expect(quarantined(holder!)).to.deep.equal([one!.packId])
  })

  it('names the files of all snapshots that are hurt, and only those', async () => {
    bench.source.file('/docs/new', bench.content(50_000))
    await bench.backup()
    const lost = record()
    for (const holder of bench.cluster.holders(lost)) await bench.cluster.damage(lost, holder, 500)
    const summary = await check(all)
    expect(summary).to.include({ packsLost: 1, copiesBad: 2 })
    const { snapshotsHurt } = summary
    expect(snapshotsHurt).to.have.length(2)
    const restorable = await restored()
    const { id } = await bench.client.resolve('latest')
    const hurt = found('hurt').filter(({ snapshotId }) => snapshotId === id)
    const isHurt = (path: string): boolean =>
      hurt.some((one) => one.path === path || (one.kind === 'directory' && path.startsWith(`${one.path}/`)))
    for (const path of ['/docs/a', '/docs/b', '/docs/new', '/other/c']) {
      expect(isHurt(path), path).to.equal(!restorable.has(path))
    }
    expect(restorable, 'what came later is whole').to.include('/docs/new')
    expect(hurt.map(({ kind }) => kind)).to.include('file')
  })

  /** The paths that a restore of the newest snapshot brings back. */
  async function restored(): Promise<Set<string>> {
    const target = new MemoryTarget()
    await bench.restore(target)
    return new Set(['docs/a', 'docs/b', 'docs/new', 'other/c'].filter((p) => target.at(p)).map((p) => `/${p}`))
  }

  it('says of a node that does not answer nothing but that', async () => {
    bench.cluster.kill('n1')
    const held = bench.cluster.nodes[0]!.store
    const copies = [...bench.cluster.packs.keys()].filter((packId) => held.stat(packId) !== undefined).length
    expect(await check(all)).to.include({ copiesUnreachable: copies, copiesBad: 0, packsLost: 0 })
  })

  it('reads the part that it is told to, the same one each time, and all parts together everything', async () => {
    const packs = [...bench.cluster.packs.keys()]
    let read = 0
    for (let number = 1; number <= 3; number++) {
      const mine = packs.filter((packId) => partOf(packId, 3) === number).length
      const summary = await check({ readData: { kind: 'part', number, parts: 3 } })
      expect(summary.copiesRead).to.equal(2 * mine)
      read += summary.copiesRead
    }
    expect(read).to.equal(2 * packs.length)
  })
})

async function contentOf(node: TestNode, packId: PackId): Promise<Buffer> {
  const path = (await node.files()).find((file) => file.includes(`/${packId}.`))
  const file = await node.disk.open(path!)
  const bytes = Buffer.alloc(await file.length())
  await file.read(bytes, 0)
  await file.close()
  return bytes
}

/** Behind the back of the node; undefined removes the file. */
async function replace(node: TestNode, packId: PackId, change: (bytes: Buffer) => Buffer | undefined): Promise<void> {
  const bytes = change(await contentOf(node, packId))
  const path = (await node.files()).find((file) => file.includes(`/${packId}.`))!
  await node.disk.remove(path)
  if (bytes === undefined) return
  const file = await node.disk.create(path)
  await file.write(bytes, 0)
  await file.close()
}
