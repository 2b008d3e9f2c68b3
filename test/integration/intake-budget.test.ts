import { expect } from 'chai'
import type { Session } from '../../src/core/messages.ts'
import type { UploadResult } from '../../src/core/storage-messages.ts'
import { AutoClock } from '../support/auto-clock.ts'
import { allocate, beginSession, makePack, slicesOf } from '../support/hand-made-upload.ts'
import { NodeCluster } from '../support/node-cluster.ts'
import type { TestNode } from '../support/test-node.ts'

const sliceLength = 65_536
const names = ['n1', 'n2', 'n3']

describe('nodes with room for one slice', () => {
  let cluster: NodeCluster
  let session: Session

  beforeEach(async () => {
    const intake = { uploads: sliceLength, replications: sliceLength }
    cluster = await NodeCluster.start(names, { clock: new AutoClock(), intake })
    session = await beginSession(cluster)
  })

  const nodeOf = (name: string): TestNode => cluster.nodes.find((node) => node.name === name) as TestNode
  const inWork = (): number[] => cluster.nodes.map(({ node }) => node.bytesInWork)

  /** An upload to whatever nodes the manager chooses; the pack's bytes as they are sent. */
  async function upload(before: (offset: number) => void = () => undefined): Promise<UploadResult> {
    const pack = await makePack(cluster, session, 3)
    const { ticket, primary, replicas } = await allocate(cluster, session, pack.length)
    const header = { ticket, replicas, lengthBytes: pack.length }
    return cluster.byRef(primary).node.upload(header, slicesOf(pack, sliceLength, before))
  }

  it('take many packs that cross each other', async () => {
    const primaries = new Set<string>()
    const results = await Promise.all(Array.from({ length: 40 }, () => upload()))
    for (const { receipts, nodes } of results) {
      expect(receipts).to.have.length(2)
      primaries.add(nodes[0]?.name ?? '')
    }
    expect([...primaries].sort()).to.deep.equal(names)
    expect(inWork()).to.deep.equal([0, 0, 0])
  })

  it('have all of it again after uploads that broke off and replicas that died', async () => {
    const offsets: number[] = []
    const broken = Array.from({ length: 20 }, (_, n) =>
      upload((offset) => {
        offsets.push(offset)
        if (n % 2 === 0 && offset > sliceLength) throw new Error('the caller broke off')
      }).catch((error: unknown) => error),
    )
    nodeOf('n3').kill()
    const outcomes = await Promise.all(broken)
    expect(outcomes.some((outcome) => outcome instanceof Error)).to.equal(true)
    expect(offsets.some((offset) => offset > 0)).to.equal(true)
    expect(inWork()).to.deep.equal([0, 0, 0])
    nodeOf('n3').revive()
    await cluster.beatAll()
    expect((await upload()).receipts).to.have.length(2)
  })
})
