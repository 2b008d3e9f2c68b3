import type { Clock } from '../../core/clock.ts'
import { TwofoldError, invariant } from '../../core/errors.ts'
import { randomHexId, toHex } from '../../core/ids.ts'
import type { PackId, SessionId } from '../../core/ids.ts'
import { copiesDefault, minCopiesDefault, packRecordsMax, packRefsBytesMax } from '../../core/limits.ts'
import type { RecordsPart } from '../../core/messages.ts'
import type { LogEntry, PackEntry } from '../../core/model.ts'
import type { Random } from '../../core/random.ts'
import { requireSound } from '../../format/log-chain.ts'
import { snapshotIdOf } from '../../format/manifest.ts'
import type { Catalogue, CatalogueWriter } from '../catalogue.ts'
import type { NodeRow, VaultRow } from '../catalogue-rows.ts'
import type { LogFacts } from './log-facts.ts'

type PackPart = Extract<RecordsPart, { kind: 'pack' }>

interface Deps {
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly random: Random
}

interface Gathering {
  readonly entries: PackEntry[]
  readonly manifests: Uint8Array[]
  refsBytes: number
  readonly packId: PackId
}

/** Takes in what nodes report: their logs, and their packs, each in a transaction of its own. */
export class PackIntake {
  readonly #deps: Deps
  readonly #facts: LogFacts
  /** The pack of each node whose records have not all come yet. */
  readonly #gathering = new Map<number, Gathering>()

  constructor(deps: Deps, facts: LogFacts) {
    this.#deps = deps
    this.#facts = facts
  }

  /** @throws TwofoldError `integrity` for entries that do not match their hashes. */
  async takeLog(entries: readonly LogEntry[]): Promise<void> {
    entries.forEach(requireSound)
    const fresh = await this.#deps.catalogue.write(async (tx) => {
      const added = []
      for (const entry of entries) {
        if ((await tx.recovery.log(entry.hash)) !== undefined) continue
        await tx.recovery.addLog(entry)
        added.push(entry)
      }
      return added
    })
    for (const entry of fresh) this.#facts.take(entry)
  }

  async takePack(node: NodeRow, part: PackPart): Promise<void> {
    const { packId } = part.pack
    const known = this.#gathering.get(node.id)
    if (known !== undefined && known.packId !== packId) throw incomplete(known.packId)
    const gathered = known ?? { packId, entries: [], manifests: [], refsBytes: 0 }
    gathered.entries.push(...part.entries)
    gathered.manifests.push(...part.manifests)
    for (const { refs } of part.entries) gathered.refsBytes += refs.length
    if (gathered.entries.length > packRecordsMax || gathered.refsBytes > packRefsBytesMax) {
      throw new TwofoldError('invalid-argument', `pack ${packId} has more records than a pack can have`)
    }
    this.#gathering.set(node.id, gathered)
    if (!part.complete) return
    this.#gathering.delete(node.id)
    await this.#deps.catalogue.write((tx) => this.#enter(tx, node, part, gathered))
    await this.#deps.clock.yield()
  }

  /** @throws TwofoldError `invalid-argument` when the report ended in the middle of a pack. */
  async requireWhole(node: NodeRow): Promise<void> {
    const open = this.#gathering.get(node.id)
    this.#gathering.delete(node.id)
    await this.#deps.clock.yield()
    if (open !== undefined) throw incomplete(open.packId)
  }

  async #enter(tx: CatalogueWriter, node: NodeRow, part: PackPart, gathered: Gathering): Promise<void> {
    const { packId, lengthBytes, putSequence, provenAtMs } = part.pack
    const vault = await this.#vault(tx, part.vaultId)
    const known = await tx.packs.find(packId)
    const pack = known?.id ?? (await this.#addPack(tx, vault, part))
    const [copies] = await tx.copies.of([pack])
    if (!(copies ?? []).some((copy) => copy.node === node.id)) {
      const writtenAtMs = provenAtMs === 0 ? 1 : provenAtMs
      await tx.copies.add(pack, { node: node.id, putSequence, provenAtMs: writtenAtMs })
    }
    await tx.nodes.raisePutSequence(node.id, putSequence)
    if (known !== undefined) return this.#takeOver(tx, vault, { pack, entries: gathered.entries })
    const rows = await tx.chunks.find(
      vault.id,
      gathered.entries.map((entry) => entry.chunkId),
    )
    const fresh = gathered.entries.filter((_, index) => rows[index] === undefined)
    await tx.chunks.put(vault.id, pack, fresh)
    await tx.vaults.count(vault.id, { chunks: fresh.length, packs: 1, storedBytes: lengthBytes })
    for (const manifest of gathered.manifests) {
      await tx.recovery.addSnapshot({ snapshotId: snapshotIdOf(manifest), vault: vault.id, manifest })
    }
  }

  /** Chunks that are also in a pack with too few copies are taken from this one as soon as it has enough. */
  async #takeOver(
    tx: CatalogueWriter,
    vault: VaultRow,
    { pack, entries }: { readonly pack: number; readonly entries: readonly PackEntry[] },
  ): Promise<void> {
    const rows = await tx.chunks.find(
      vault.id,
      entries.map((entry) => entry.chunkId),
    )
    const others = [...new Set(rows.flatMap((row) => (row === undefined || row.pack === pack ? [] : [row.pack])))]
    const [own = [], ...held] = await tx.copies.of([pack, ...others])
    if (own.length < vault.minCopies) return
    const weak = new Set(others.filter((_, index) => (held[index] ?? []).length < vault.minCopies))
    const better = entries.filter((_, index) => weak.has(rows[index]?.pack ?? 0))
    if (better.length > 0) await tx.chunks.put(vault.id, pack, better)
  }

  async #addPack(tx: CatalogueWriter, vault: VaultRow, part: PackPart): Promise<number> {
    const { packId, lengthBytes } = part.pack
    const session = await this.#session(tx, vault)
    const pack = await tx.packs.add({ packId, vault: vault.id, session, requestId: packId, lengthBytes })
    await tx.packs.settle(pack, { state: 'committed', lengthBytes })
    return pack
  }

  async #vault(tx: CatalogueWriter, vaultId: Uint8Array): Promise<VaultRow> {
    const hex = toHex(vaultId)
    const known = (await tx.vaults.all()).find((vault) => toHex(vault.vaultId) === hex)
    if (known !== undefined) return known
    const defaults = { copies: copiesDefault, minCopies: minCopiesDefault }
    const { name, copies, minCopies } = this.#facts.vaultOf(vaultId, defaults)
    await tx.vaults.add({ name, vaultId, copies, minCopies })
    const added = await tx.vaults.byName(name)
    invariant(added !== undefined, 'a vault that was just added is there')
    return added
  }

  /** The session that all recovered packs of a vault belong to; it has ended. */
  async #session(tx: CatalogueWriter, vault: VaultRow): Promise<number> {
    const clientId = 'recovery'
    const requestId = toHex(vault.vaultId)
    const known = await tx.sessions.byRequest(clientId, requestId)
    if (known !== undefined) return known.id
    const { random, clock } = this.#deps
    await tx.sessions.add({
      ...{ sessionId: randomHexId<SessionId>(random), token: randomHexId(random), vault: vault.id },
      ...{ clientId, requestId, host: '', user: '', paths: [], fileName: '', noParent: true, parent: '' },
      kind: 'backup',
      begunAtMs: clock.nowMs(),
    })
    const session = await tx.sessions.byRequest(clientId, requestId)
    invariant(session !== undefined, 'a session that was just added is there')
    await tx.sessions.finish(session.id, 'ended', '')
    return session.id
  }
}

function incomplete(packId: PackId): TwofoldError {
  return new TwofoldError('invalid-argument', `the records of pack ${packId} did not all come`)
}
