import { expect } from 'chai'
import type { PruneOptions, PruneState, RepackablePack } from '../../../../src/core/admin-messages.ts'
import { fromHex, toHex } from '../../../../src/core/ids.ts'
import type { ChunkId, PackId, SnapshotId } from '../../../../src/core/ids.ts'
import type { Session } from '../../../../src/core/messages.ts'
import { blake3 } from '../../../../src/format/hash.ts'
import { encodeManifest } from '../../../../src/format/manifest.ts'
import type { CatalogueReader } from '../../../../src/manager/catalogue.ts'
import type { PackState } from '../../../../src/manager/catalogue-rows.ts'
import { splitRefs } from '../../../../src/manager/chunk-refs.ts'
import { decodePackSet } from '../../../../src/manager/pack-set.ts'
import { PaperCluster, chunk, treeOf } from '../cluster-fixture.ts'
import type { Draft } from '../cluster-fixture.ts'

const quick = { dryRun: false, findRepackable: false, unusedPermilleMax: undefined }

export async function forget(cluster: PaperCluster, ids: readonly SnapshotId[], now = true): Promise<void> {
  await cluster.manager.admin.forgetSnapshots({ vault: '', snapshotIds: ids, now, actor: 'test' })
}

/** A prune from beginning to end. */
export async function prune(cluster: PaperCluster, options: Partial<PruneOptions> = {}): Promise<PruneState> {
  const { manager } = cluster
  await manager.admin.prune({ ...quick, ...options })
  for (let step = 0; step < 10_000; step++) {
    const state = await manager.admin.getPrune()
    if (state.phase === 'done') return state
    if (state.problem !== '') throw new Error(`the prune waits or failed: ${state.problem}`)
    await manager.sweep()
  }
  throw new Error('the prune does not end')
}

/** Lets the prune go on until it is in that phase. */
export async function pruneUntil(cluster: PaperCluster, phase: PruneState['phase']): Promise<void> {
  for (let step = 0; step < 10_000; step++) {
    if ((await cluster.manager.admin.getPrune()).phase === phase) return
    await cluster.manager.sweep()
  }
  throw new Error(`the prune is never ${phase}`)
}

export async function sweepAll({ manager }: PaperCluster): Promise<void> {
  while (await manager.sweep());
}

/** The state of the pack that the chunk of this name is read from; undefined when there is none. */
export function stateOf(cluster: PaperCluster, name: string): Promise<PackState | undefined> {
  return cluster.catalogue.read(async (tx) => {
    const vault = (await tx.vaults.byName('default'))?.id ?? 0
    const [row] = await tx.chunks.find(vault, [chunk(name).chunkId])
    return row === undefined ? undefined : (await tx.packs.byIds([row.pack]))[0]?.state
  })
}

/** A backup of chunks that the client does not send, because it was told before that they are there. */
export async function uploadTrusting(cluster: PaperCluster, session: Session, ...names: string[]): Promise<Draft> {
  const tree = treeOf(names.map(chunk))
  await cluster.store(session, [tree])
  const manifest = encodeManifest(cluster.manifest(session, tree.chunkId))
  const chunkId = blake3(manifest) as ChunkId
  await cluster.store(session, [{ ...tree, kind: 'snapshot', chunkId, refs: tree.chunkId }])
  return { session, manifest, snapshotId: toHex(chunkId) as SnapshotId }
}

/** Saves how far a backup is: of these chunks, which are there, and a tree that is stored now. */
export async function saveCheckpoint(cluster: PaperCluster, session: Session, ...names: string[]): Promise<void> {
  const tree = treeOf(names.map(chunk))
  await cluster.store(session, [tree])
  const manifest = encodeManifest(cluster.manifest(session, tree.chunkId))
  await cluster.manager.saveCheckpoint({ session, manifest })
}

/**
 * Plays a story again and again, each time with what it gives to `interrupt` happening right before another one of the
 * transactions that follow, until it follows them all. What must hold must hold then.
 */
export async function atEachTransaction(
  story: (cluster: PaperCluster, interrupt: (what: () => Promise<void>) => void) => Promise<void>,
): Promise<void> {
  for (let turn = 1, done = false; !done; turn++) {
    const cluster = new PaperCluster()
    const { catalogue } = cluster
    let left = 0
    let happening: (() => Promise<void>) | undefined
    const before = async (): Promise<void> => {
      left -= 1
      if (left !== 0 || happening === undefined) return
      const what = happening
      happening = undefined
      await what()
    }
    cluster.catalogue = {
      read: async (work) => before().then(() => catalogue.read(work)),
      write: async (work) => before().then(() => catalogue.write(work)),
      upkeep: () => catalogue.upkeep(),
      healthy: () => catalogue.healthy(),
      close: () => catalogue.close(),
    }
    await cluster.open()
    for (const name of ['n1', 'n2', 'n3']) await cluster.addNode({ name })
    await story(cluster, (what) => {
      happening = what
      left = turn
    })
    done = happening !== undefined
    happening = undefined
    await checkInvariants(cluster)
    await prune(cluster)
    await checkInvariants(cluster)
    expect(turn, 'transactions').to.be.lessThan(100)
  }
}

/** What a mover in a client does, without the bytes. @returns what was listed and what was finished */
export async function repack(
  cluster: PaperCluster,
  hooks: { beforeFinish?: (session: Session) => Promise<void>; move?: (pack: RepackablePack) => boolean } = {},
): Promise<{ listed: readonly RepackablePack[]; finished: readonly PackId[] }> {
  const { admin } = cluster.manager
  const session = await beginRepack(cluster)
  const { items } = await admin.listRepackable('', { pageSize: 0, pageToken: '' })
  for (const { records } of items.filter((pack) => hooks.move?.(pack) ?? true)) {
    if (records.length > 0) await cluster.store(session, await entriesOf(cluster, records))
  }
  await hooks.beforeFinish?.(session)
  const finished = await admin.finishRepack(
    session,
    items.map(({ pack }) => pack.packId),
  )
  await cluster.manager.endSession(session, '')
  return { listed: items, finished }
}

export function beginRepack(cluster: PaperCluster): Promise<Session> {
  const requestId = cluster.requestId()
  return cluster.manager.admin.beginRepack({ clientId: 'c'.repeat(32), requestId, vault: '', host: 'h', user: 'u' })
}

/** The records as a node that holds them would describe them. */
function entriesOf(cluster: PaperCluster, records: RepackablePack['records']): Promise<PackEntryList> {
  return cluster.catalogue.read(async (tx) => {
    const vault = (await tx.vaults.byName('default'))?.id ?? 0
    const ids = records.map(({ chunkId }) => chunkId)
    const rows = await tx.chunks.find(vault, ids)
    const refs = await tx.chunks.refs(vault, ids)
    return ids.map((chunkId, index) => {
      const { kind = 'data', plainLength = 0 } = rows[index] ?? {}
      return { chunkId, kind, plainLength, offset: 0, length: 1000, refs: refs[index] ?? new Uint8Array() }
    })
  })
}
type PackEntryList = Parameters<PaperCluster['store']>[1]

/**
 * What must hold at any moment: whatever a snapshot reaches, in the trash or not, or a checkpoint, is read from
 * committed packs that garbage collection knows to be needed by it; and the sums are right.
 */
export async function checkInvariants({ catalogue }: PaperCluster): Promise<void> {
  await catalogue.read(async (tx) => {
    for (const { snapshotId, ...row } of await tx.snapshots.sets(0, 10_000)) {
      await checkReached(tx, { ...row, root: fromHex(snapshotId) as ChunkId, what: `snapshot ${row.commitSequence}` })
    }
    for (const row of await tx.checkpoints.sets(0, 10_000)) {
      await checkReached(tx, { ...row, root: row.tree, what: `checkpoint ${row.number}` })
    }
    for (const vault of await tx.vaults.all()) {
      const packs = (await tx.packs.page(0, 100_000)).filter((pack) => pack.vault === vault.id)
      const there = packs.filter(({ state }) => state === 'committed' || state === 'condemned')
      let chunks = 0
      for (const pack of packs) {
        const found = (await tx.chunks.ofPack(vault.id, pack.id)).length
        if (pack.state === 'deleted') expect(found, 'chunks of a deleted pack').to.equal(0)
        chunks += found
      }
      expect({ packs: there.length, chunks }, 'totals').to.deep.equal({ packs: vault.packs, chunks: vault.chunks })
    }
  })
}

interface Reaching {
  readonly vault: number
  readonly packs: Uint8Array
  readonly root: ChunkId
  readonly what: string
}

async function checkReached(tx: CatalogueReader, { vault, packs, root, what }: Reaching): Promise<void> {
  const needed = new Set(decodePackSet(packs))
  for (const pack of needed) for (const to of await tx.packs.movedTo(pack)) needed.add(to)
  const open = [root]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const [found] = await tx.chunks.find(vault, [id])
    expect(found, `a chunk of ${what}`).not.to.equal(undefined)
    const [pack] = await tx.packs.byIds([found?.pack ?? 0])
    expect(pack?.state, `the pack of a chunk of ${what}`).to.equal('committed')
    expect(needed.has(pack?.id ?? 0), 'a pack that is known to be needed').to.equal(true)
    const [refs] = await tx.chunks.refs(vault, [id])
    if (found?.kind !== 'data') expect(refs, 'the references of a tree').not.to.equal(undefined)
    open.push(...splitRefs(refs ?? new Uint8Array()))
  }
}
