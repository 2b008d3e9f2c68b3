import { expect } from 'chai'
import { runPutFile } from '../../../../src/client/put-file.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { expectError } from '../../../support/expect-error.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import type { BackupFixture } from '../../../support/backup-fixture.ts'
import type { TestNode } from '../../../support/test-node.ts'

const known = (node: TestNode): number => node.log.witnessed?.sequence ?? 0
const down = (): never => {
  throw new TwofoldError('unavailable', 'nobody answers')
}

describe('a commit is witnessed', () => {
  let fixture: BackupFixture
  beforeEach(async () => {
    fixture = await createBackupFixture()
    fixture.source.file('/src/a', Buffer.from('content'))
  })

  /** How many nodes had recorded the newest commit when the client was told that it is done. */
  function witnesses(before: readonly number[]): number {
    return fixture.cluster.nodes.filter((node, index) => known(node) > (before[index] ?? 0)).length
  }

  it('by min copies nodes before anybody is told that it is done', async () => {
    const before = fixture.cluster.nodes.map(known)
    await fixture.backup()
    expect(witnesses(before)).to.be.at.least(2)
  })

  it('by other nodes when some cannot', async () => {
    const before = fixture.cluster.nodes.map(known)
    fixture.cluster.faults.onWitness = ({ name }) => (name === 'n1' ? down() : undefined)
    await fixture.backup()
    expect(fixture.cluster.nodes.slice(1).map((node, index) => known(node) > (before[index + 1] ?? 0))).to.deep.equal([
      true,
      true,
    ])
  })

  it('again and again until enough nodes are back', async () => {
    let refused = 0
    fixture.cluster.faults.onWitness = () => (refused++ < 10 ? down() : undefined)
    await fixture.backup()
    expect(refused).to.be.greaterThan(10)
  })

  it('or the backup is not done, though the snapshot is there', async () => {
    fixture.cluster.faults.onWitness = ({ name }) => (name === 'n1' ? undefined : down())
    const error = await expectError(fixture.backup(), 'not-enough-nodes')
    expect(error.message).to.match(/was saved, but only 1 of 2 nodes have recorded/)
    expect(error.fields['snapshot']).to.have.length(64)
    expect(fixture.cluster.snapshots.size).to.equal(1)
  })

  it('never by a node that knows of a newer log: the backup fails', async () => {
    fixture.cluster.faults.onWitness = () => {
      throw new TwofoldError('fenced', 'it knows entry 99')
    }
    const error = await expectError(fixture.backup(), 'failed-precondition')
    expect(error.message).to.match(/it is not safe: node n\d says that it knows entry 99/)
  })

  it('by a statement of now when the manager was started again since the commit', async () => {
    const before = fixture.cluster.nodes.map(known)
    let refused = 0
    fixture.cluster.faults.onWitness = () => {
      if (refused++ < 3) throw new TwofoldError('fenced', 'it knows entry 99 of epoch 2')
    }
    await fixture.backup()
    expect(witnesses(before)).to.be.at.least(2)
    expect(fixture.cluster.snapshots.size).to.equal(1)
  })

  it('for a single file too; a repeated put repeats the step', async () => {
    fixture.cluster.faults.onWitness = down
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
    }
    const request = { name: 'file', requestId: 'r' }
    await expectError(runPutFile(fixture.deps, request, content()), 'not-enough-nodes')
    await expectError(runPutFile(fixture.deps, request, content()), 'not-enough-nodes')
    let recorded = 0
    fixture.cluster.faults.onWitness = () => void recorded++
    const { version } = await runPutFile(fixture.deps, request, content())
    expect(version).to.equal(1)
    expect(recorded).to.be.at.least(2)
  })
})
