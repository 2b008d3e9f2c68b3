import { expect } from 'chai'
import { catalogueCopyIntervalMs, heartbeatIntervalMs } from '../../../src/core/limits.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../../src/manager/catalogue.ts'
import { Manager } from '../../../src/manager/manager.ts'
import type { TestNode } from '../../support/test-node.ts'
import { NodeCluster } from '../../support/node-cluster.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('copies of the catalogue', () => {
  const clock = new VirtualClock()
  const random = new SeededRandom(3)
  let catalogue: Catalogue
  let cluster: NodeCluster
  /** What the next copy consists of; each one is counted. */
  let content: Buffer
  let hash: Uint8Array | undefined
  let made: number

  beforeEach(async () => {
    catalogue = openSqliteCatalogue(':memory:')
    cluster = await NodeCluster.start(['n1', 'n2', 'n3'], { clock, random, catalogue })
    content = Buffer.from('a copy')
    hash = undefined
    made = 0
    const make = async (): Promise<object> => {
      made += 1
      const bytes = content
      const read = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 3)
        yield bytes.subarray(3)
      }
      return { lengthBytes: bytes.length, hash: hash ?? blake3(bytes), read }
    }
    cluster.manager = await Manager.open({
      catalogue,
      clock,
      random,
      logger: silentLogger,
      copier: { make: make as never },
    })
    await cluster.beatAll()
    await cluster.manager.sweep()
  })
  afterEach(() => catalogue.close())

  const put = (): Promise<unknown> =>
    catalogue
      .write((tx) => tx.settings.set('x', Buffer.from('y')))
      .then(() => cluster.manager.deleteFile({ vault: '', name: 'f', actor: 'me' }).catch(() => 0))

  async function later(): Promise<void> {
    clock.advance(catalogueCopyIntervalMs)
    await cluster.beatAll()
    await cluster.manager.sweep()
    for (let round = 0; round < 10; round++) {
      clock.advance(heartbeatIntervalMs)
      await cluster.beatAll()
    }
  }

  async function kept(node: TestNode): Promise<string[]> {
    const entries = await node.disk.list('catalogue').catch(() => [])
    return entries.map((entry) => entry.name).sort()
  }
  const keepers = async (): Promise<string[]> => {
    const all = await Promise.all(cluster.nodes.map(async (node) => ((await kept(node)).length > 0 ? [node.name] : [])))
    return all.flat()
  }

  it('are kept by min copies nodes', async () => {
    await later()
    expect(made).to.equal(1)
    expect(await keepers()).to.have.length(2)
    const [node] = cluster.nodes
    const file = await node!.disk.open(`catalogue/${(await kept(node!))[0]}`)
    const bytes = Buffer.alloc(await file.length())
    await file.read(bytes, 0)
    expect(bytes.toString()).to.equal('a copy')
  })

  it('are made again only when something happened, and the newest two are kept', async () => {
    await later()
    await later()
    expect(made).to.equal(1)
    for (let round = 0; round < 3; round++) {
      await cluster.manager.register(await registration(`more${round}`))
      await later()
    }
    expect(made).to.equal(4)
    expect(await kept(cluster.nodes[0]!)).to.have.length(2)
  })

  it('that do not arrive as they were sent are not kept, and others are asked', async () => {
    hash = new Uint8Array(32)
    await later()
    expect(await keepers()).to.deep.equal([])
    for (const node of cluster.nodes)
      expect((await kept(node)).filter((name) => name.endsWith('.zst'))).to.deep.equal([])
  })

  async function registration(name: string): Promise<Parameters<Manager['register']>[0]> {
    await put()
    const id = Buffer.from(random.bytes(16)).toString('hex')
    const node = { nodeId: id, incarnation: id, name, address: 'a:1', failureDomain: '' }
    const rest = { bootId: id, capacityBytes: 1, usedBytes: 0, publicKey: new Uint8Array(32), putSequence: 0 }
    return { node, ...rest, clusterId: undefined, programVersion: '' } as never
  }
})
