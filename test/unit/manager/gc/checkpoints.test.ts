import { expect } from 'chai'
import { isTwofoldError } from '../../../../src/core/errors.ts'
import { checkpointKeepMs, checkpointsAtOnce, checkpointsMax } from '../../../../src/core/limits.ts'
import type { Session } from '../../../../src/core/messages.ts'
import { encodeManifest } from '../../../../src/format/manifest.ts'
import { expectError } from '../../../support/expect-error.ts'
import { PaperCluster, chunk, firstPage, treeOf } from '../cluster-fixture.ts'
import {
  atEachTransaction,
  checkInvariants,
  forget,
  prune,
  repack,
  saveCheckpoint,
  stateOf,
  sweepAll,
} from './gc-fixture.ts'

const find = { findRepackable: true, unusedPermilleMax: 0 }

/** A backup of these chunks that saved a checkpoint and was killed. */
async function interrupted(cluster: PaperCluster, ...names: string[]): Promise<Session> {
  const session = await cluster.begin()
  await cluster.store(session, names.map(chunk))
  await saveCheckpoint(cluster, session, ...names)
  await cluster.manager.endSession(session, 'killed')
  return session
}

async function checkpoints(cluster: PaperCluster): Promise<number> {
  return (await cluster.manager.listCheckpoints('', firstPage)).items.length
}

describe('checkpoints of backups', () => {
  it('are told to the next backup of the same host and paths, and to no other', async () => {
    const cluster = await PaperCluster.start(3)
    await interrupted(cluster, 'a')
    expect((await cluster.begin()).checkpoint).to.include({ packs: 2, createdAtMs: cluster.clock.nowMs() })
    for (const other of [
      { host: 'other' },
      { paths: [Buffer.from('/else')] },
      { noParent: true },
      { fileName: 'file' },
    ]) {
      expect((await cluster.begin(other)).checkpoint, JSON.stringify(other)).to.equal(undefined)
    }
  })

  it('keep what they refer to until the next snapshot, although no session and no snapshot needs it', async () => {
    const cluster = await PaperCluster.start(3)
    await interrupted(cluster, 'a', 'b')
    await prune(cluster)
    expect([await stateOf(cluster, 'a'), await stateOf(cluster, 'b')]).to.deep.equal(['committed', 'committed'])
    await checkInvariants(cluster)
    await cluster.backup(['c'])
    expect(await checkpoints(cluster)).to.equal(0)
    await prune(cluster)
    expect([await stateOf(cluster, 'a'), await stateOf(cluster, 'c')]).to.deep.equal([undefined, 'committed'])
  })

  it('are replaced by the next one, which lets go of what it does not need', async () => {
    const cluster = await PaperCluster.start(3)
    await interrupted(cluster, 'a')
    await interrupted(cluster, 'b')
    expect(await checkpoints(cluster)).to.equal(1)
    await prune(cluster)
    expect([await stateOf(cluster, 'a'), await stateOf(cluster, 'b')]).to.deep.equal([undefined, 'committed'])
  })

  it('go after a while', async () => {
    const cluster = await PaperCluster.start(3)
    await interrupted(cluster, 'a')
    cluster.clock.advance(checkpointKeepMs - 1)
    await cluster.heartbeatAll()
    await prune(cluster)
    expect([await checkpoints(cluster), await stateOf(cluster, 'a')]).to.deep.equal([1, 'committed'])
    cluster.clock.advance(1)
    await cluster.heartbeatAll()
    await prune(cluster)
    expect([await checkpoints(cluster), await stateOf(cluster, 'a')]).to.deep.equal([0, undefined])
  })

  it('bring back what was condemned, and are refused when something of them is gone', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const session = await cluster.begin({ host: 'other' })
    await cluster.manager.lookupChunks(session, [chunk('a').chunkId])
    await forget(cluster, [first.snapshotId])
    await prune(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('condemned')
    await saveCheckpoint(cluster, session, 'a')
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    const manifest = encodeManifest(cluster.manifest(session, treeOf([chunk('never sent')]).chunkId))
    await expectError(cluster.manager.saveCheckpoint({ session, manifest }), 'missing-chunks')
    await checkInvariants(cluster)
  })

  it('are refused from sessions that are over, that move chunks, or that say something else', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a'), treeOf([chunk('a')])])
    const tree = treeOf([chunk('a')]).chunkId
    const save = (more: object): Promise<void> => {
      return cluster.manager.saveCheckpoint({
        session,
        manifest: encodeManifest(cluster.manifest(session, tree, more)),
      })
    }
    await expectError(save({ vault: 'other' }), 'invalid-argument')
    await expectError(save({ sessionId: 'f'.repeat(32) }), 'invalid-argument')
    const file = await cluster.begin({ fileName: 'file' })
    const manifest = encodeManifest(cluster.manifest(file, tree, { fileName: 'file' }))
    await expectError(cluster.manager.saveCheckpoint({ session: file, manifest }), 'invalid-argument')
    await cluster.manager.commitSnapshot(await cluster.upload(session, ['a']))
    await expectError(save({}), 'session-ended')
    expect(await checkpoints(cluster)).to.equal(0)
  })

  it('wait for each other when there are too many at once', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a'), treeOf([chunk('a')])])
    const manifest = encodeManifest(cluster.manifest(session, treeOf([chunk('a')]).chunkId))
    const save = (): Promise<void> => cluster.manager.saveCheckpoint({ session, manifest })
    const outcomes = await Promise.allSettled(Array.from({ length: checkpointsAtOnce + 2 }, save))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(checkpointsAtOnce)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    for (const { reason } of refused) expect(isTwofoldError(reason, 'overloaded')).to.equal(true)
    await save()
  })

  it('are bounded', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.catalogue.write(async (tx) => {
      const vault = (await tx.vaults.byName('default'))?.id ?? 0
      const rest = { host: '', manifest: new Uint8Array(), createdAtMs: cluster.clock.nowMs(), packs: new Uint8Array() }
      for (let number = 0; number < checkpointsMax; number++) {
        const pathsKey = Buffer.from(`${number}`)
        await tx.checkpoints.put({ vault, pathsKey, tree: chunk('a').chunkId, ...rest })
      }
    })
    await interrupted(cluster, 'a')
    const numbers = await cluster.catalogue.read((tx) => tx.checkpoints.sets(0, 10_000))
    expect(numbers.map(({ number }) => number).slice(0, 2)).to.deep.equal([2, 3])
    expect(numbers).to.have.lengthOf(checkpointsMax)
  })

  it('let a mover free the packs that they need little of', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.store(await cluster.begin({ host: 'dead' }), ['a', 'x', 'y', 'z'].map(chunk))
    const session = await cluster.begin()
    await saveCheckpoint(cluster, session, 'a', 'x')
    cluster.clock.advance(120_000)
    await cluster.heartbeatAll()
    await sweepAll(cluster)
    await prune(cluster, find)
    await repack(cluster)
    await prune(cluster)
    const states = await Promise.all(['a', 'x', 'y', 'z'].map((name) => stateOf(cluster, name)))
    expect(states).to.deep.equal(['committed', 'committed', undefined, undefined])
    await checkInvariants(cluster)
    await prune(cluster, find)
    expect(await stateOf(cluster, 'x')).to.equal('committed')
  })

  it('keep what a mover moves, whenever it happens', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const wasteful = await cluster.begin({ host: 'other' })
      await cluster.store(wasteful, ['a', 'x', 'y', 'z'].map(chunk))
      await cluster.manager.commitSnapshot(await cluster.upload(wasteful, ['a']))
      const session = await cluster.begin()
      await cluster.manager.lookupChunks(session, [chunk('a').chunkId, chunk('x').chunkId])
      await prune(cluster, find)
      interrupt(async () => {
        await saveCheckpoint(cluster, session, 'a', 'x')
        await cluster.manager.endSession(session, 'killed')
      })
      await repack(cluster)
      await checkInvariants(cluster)
    })
  })

  /** A session that was told that a chunk is there, of which the only snapshot is forgotten since. */
  async function relyingOnForgotten(cluster: PaperCluster): Promise<Session> {
    const first = await cluster.backup(['a'], { host: 'other' })
    const session = await cluster.begin()
    await cluster.manager.lookupChunks(session, [chunk('a').chunkId])
    await forget(cluster, [first.snapshotId])
    return session
  }

  it('keep what a prune is about to condemn or delete, whenever it happens', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const session = await relyingOnForgotten(cluster)
      interrupt(async () => {
        await saveCheckpoint(cluster, session, 'a')
        await cluster.manager.endSession(session, 'killed')
      })
      await prune(cluster)
      await sweepAll(cluster)
    })
  })

  it('are saved whole or not at all while a prune goes on', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const session = await relyingOnForgotten(cluster)
      interrupt(async () => {
        await prune(cluster)
        await sweepAll(cluster)
      })
      await saveCheckpoint(cluster, session, 'a')
      await cluster.manager.endSession(session, 'killed')
    })
  })

  it('are refused when what they refer to is deleted in the middle', async () => {
    let refused = 0
    await atEachTransaction(async (cluster, interrupt) => {
      const first = await cluster.backup(['a'], { host: 'other' })
      const old = await cluster.begin({ host: 'old' })
      await forget(cluster, [first.snapshotId])
      await prune(cluster)
      // It begins after the packs were condemned, and names a tree that it never asked for.
      const session = await cluster.begin()
      const manifest = encodeManifest(cluster.manifest(session, treeOf([chunk('a')]).chunkId))
      interrupt(async () => {
        await cluster.manager.endSession(old, 'over')
        await sweepAll(cluster)
      })
      const saving = cluster.manager.saveCheckpoint({ session, manifest })
      await saving.catch((error: unknown) => {
        if (!isTwofoldError(error, 'missing-chunks')) throw error
        refused += 1
      })
      await checkInvariants(cluster)
    })
    expect(refused).to.be.greaterThan(1)
  })

  it('never stay behind the snapshot of their own session, however late they come', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const session = await cluster.begin()
      const draft = await cluster.upload(session, ['a'])
      let committed = false
      interrupt(async () => {
        await cluster.manager.commitSnapshot(draft)
        committed = true
      })
      const saving = cluster.manager.saveCheckpoint({ session, manifest: draft.manifest })
      await saving.catch((error: unknown) => {
        if (!committed || !isTwofoldError(error, 'session-ended')) throw error
      })
      if (committed) expect(await checkpoints(cluster)).to.equal(0)
    })
  })
})
