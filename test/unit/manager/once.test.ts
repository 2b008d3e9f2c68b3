import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SnapshotId } from '../../../src/core/ids.ts'
import { adminRequestsDroppedAtOnce, adminRequestsKeptMs } from '../../../src/core/limits.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, firstPage } from './cluster-fixture.ts'

describe('decisions with request ids', () => {
  let cluster: PaperCluster
  let snapshotIds: SnapshotId[]

  beforeEach(async () => {
    cluster = await PaperCluster.start(2)
    const { snapshotId } = await cluster.backup(['a'])
    snapshotIds = [snapshotId]
  })

  const listed = async (): Promise<number> => (await cluster.manager.listSnapshots(anyFilter, firstPage)).items.length
  const about = (requestId: string) => ({ vault: '', snapshotIds, actor: 'me', requestId })
  const forget = (requestId: string): Promise<number> =>
    cluster.manager.admin.forgetSnapshots({ ...about(requestId), now: false })
  const remembered = (requestId: string): Promise<boolean> =>
    cluster.catalogue.read(async (tx) => (await tx.requests.find(requestId)) !== undefined)

  it('are carried out once: a late forget undoes no undelete, and a late undelete no forget', async () => {
    const { admin } = cluster.manager
    const first = await forget('f1')
    await admin.undeleteSnapshots(about('u1'))
    cluster.clock.advance(60_000)
    expect(await forget('f1')).to.equal(first)
    expect(await listed()).to.equal(1)
    expect(await forget('f2')).to.be.greaterThan(first)
    await admin.undeleteSnapshots(about('u1'))
    expect(await listed()).to.equal(0)
  })

  it('are remembered over a restart of the manager', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'twofold-once-'))
    cluster = await PaperCluster.start(2, { path: join(directory, 'catalogue.db') })
    snapshotIds = [(await cluster.backup(['a'])).snapshotId]
    await forget('f1')
    await cluster.manager.admin.undeleteSnapshots(about('u1'))
    await cluster.restart()
    await forget('f1')
    expect(await listed()).to.equal(1)
    await cluster.catalogue.close()
    rmSync(directory, { recursive: true })
  })

  it('that were refused stay refused, in the same words', async () => {
    const { admin } = cluster.manager
    await admin.pinSnapshots({ ...about('p1'), pinned: true, reason: 'audit' })
    const refusal = await expectError(forget('f1'), 'failed-precondition')
    await admin.pinSnapshots({ ...about('p2'), pinned: false, reason: '' })
    expect((await expectError(forget('f1'), 'failed-precondition')).message).to.equal(refusal.message)
    await admin.pinSnapshots({ ...about('p1'), pinned: true, reason: 'audit' })
    await forget('f2')
    expect(await listed()).to.equal(0)
  })

  it('of which one id means two things are refused', async () => {
    await forget('x')
    await expectError(cluster.manager.admin.undeleteSnapshots(about('x')), 'invalid-argument')
    const now = cluster.manager.admin.forgetSnapshots({ ...about('x'), now: true })
    await expectError(now, 'invalid-argument')
    await expectError(forget('y'.repeat(129)), 'invalid-argument')
  })

  it('begin one prune, not two', async () => {
    const { admin } = cluster.manager
    const request = { dryRun: false, findRepackable: false, unusedPermilleMax: undefined }
    const { run } = await admin.prune({ ...request, requestId: 'a' })
    while (await cluster.manager.sweep());
    expect((await admin.prune({ ...request, requestId: 'a' })).run).to.equal(run)
    expect((await admin.getPrune()).phase).to.equal('done')
    expect((await admin.prune({ ...request, requestId: 'b' })).run).to.equal(run + 1)
  })

  it('are forgotten after a week, some with each new one, so that they never pile up', async () => {
    for (let n = 0; n < 2 * adminRequestsDroppedAtOnce; n++) await forget(`old${10 + n}`)
    cluster.clock.advance(adminRequestsKeptMs)
    await forget('young')
    expect(await remembered('old10')).to.equal(true)
    cluster.clock.advance(1)
    await forget('new')
    expect([await remembered('old10'), await remembered(`old${10 + adminRequestsDroppedAtOnce}`)]).to.deep.equal([
      false,
      true,
    ])
    await forget('newer')
    expect([await remembered(`old${10 + adminRequestsDroppedAtOnce}`), await remembered('young')]).to.deep.equal([
      false,
      true,
    ])
  })
})
