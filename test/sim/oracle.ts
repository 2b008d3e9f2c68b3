import { asBuffer, toHex } from '../../src/core/ids.ts'
import type { PackId, SnapshotId } from '../../src/core/ids.ts'
import { copiesDefault } from '../../src/core/limits.ts'
import { blake3 } from '../../src/format/hash.ts'
import type { CatalogueReader } from '../../src/manager/catalogue.ts'
import { decodePackSet } from '../../src/manager/pack-set.ts'
import { packsDirectory, parseFileName } from '../../src/node/pack-file-name.ts'
import type { PackHolding } from './fault-atlas.ts'
import { Pins } from './pins.ts'
import type { SimNode, SimWorld } from './sim-world.ts'
import { Violation } from './violation.ts'

/** A snapshot that a client was told is safe, and what must come back from it. */
export interface Acknowledged {
  readonly id: SnapshotId
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** One that somebody wanted to be forgotten: it may be there, and may be in the trash. */
export interface Forgotten {
  readonly snapshot: Acknowledged
  /** Until then it can be brought back for sure, in virtual milliseconds. */
  readonly keptUntilMs: number
  /** Whether an answer came, so that the request is not still under way. */
  answered: boolean
}

type Layer = 'seen' | 'durable'

/** Knows what was promised, and looks behind everybody's back whether it is still true. */
export class Oracle {
  readonly acknowledged: Acknowledged[] = []
  /** Whether or not that was confirmed. */
  forgotten: Forgotten[] = []
  /** What open sessions rely on. */
  readonly pins = new Pins()
  readonly #world: SimWorld
  /** The right bytes of each pack that was part of a promise or was struck, by their hash. */
  readonly #right = new Map<string, string>()
  /** Where a fault took a copy away, or let it rot, for each pack. */
  readonly #struck = new Map<string, Set<string>>()
  /** Packs that a recovery took in the place of others, and that have had too few copies since. */
  readonly #substitutes = new Set<string>()
  /** Files that cannot be read any more, as `node path`. */
  readonly #doomed = new Set<string>()
  /** Contents are replaced, never changed, so their hashes can be remembered. */
  readonly #hashes = new WeakMap<Uint8Array, string>()
  /** The packs of what was acknowledged when the catalogue was lost; undefined while it is the newest. */
  #doubt: ReadonlyMap<SnapshotId, readonly string[]> | undefined
  #losses = 0

  constructor(world: SimWorld) {
    this.#world = world
  }

  /**
   * Takes note of a promise at the moment at which it is given.
   * @throws Violation `I2` unless every pack is durable and whole on `copies` nodes, but for what faults took away.
   */
  async promised(snapshot: Acknowledged, copies: number): Promise<void> {
    this.acknowledged.push(snapshot)
    if (this.#doubt !== undefined) return
    for (const packId of await this.#packsOf(snapshot.id)) {
      this.#learn(packId)
      this.#requireCopies(packId, copies)
    }
  }

  /** Before anybody asks for it: from then on nobody can rely on the snapshot, but for the trash. */
  forgetting(snapshot: Acknowledged, windowMs: number): Forgotten {
    this.acknowledged.splice(this.acknowledged.indexOf(snapshot), 1)
    const keptUntilMs = windowMs === 0 ? 0 : this.#world.scheduler.nowMs + windowMs - 1
    const forgotten = { snapshot, keptUntilMs, answered: false }
    this.forgotten.push(forgotten)
    return forgotten
  }

  /** It was confirmed that it is back. */
  undeleted(forgotten: Forgotten): void {
    this.forgotten.splice(this.forgotten.indexOf(forgotten), 1)
    this.acknowledged.push(forgotten.snapshot)
  }

  /** Everything that must be there: what was not forgotten, and what is in the trash. */
  get #kept(): Acknowledged[] {
    const { nowMs } = this.#world.scheduler
    const trash = this.forgotten.filter(({ keptUntilMs }) => keptUntilMs > nowMs)
    return [...this.acknowledged, ...trash.map(({ snapshot }) => snapshot)]
  }

  get inDoubt(): boolean {
    return this.#doubt !== undefined
  }

  /** How often the catalogue was lost: what was asked before the last time says nothing of the one that is there. */
  get losses(): number {
    return this.#losses
  }

  /** The catalogue is about to be lost: what it says now is what must be kept meanwhile. */
  async losingCatalogue(): Promise<void> {
    const packs = new Map<SnapshotId, readonly string[]>()
    for (const { id } of this.acknowledged) packs.set(id, await this.#packsOf(id))
    this.#doubt = packs
    this.#losses += 1
    // What it said to sessions it has forgotten, and perhaps that something is in the trash.
    this.pins.forget()
    this.forgotten = this.forgotten.map((one) => ({ ...one, keptUntilMs: 0, answered: false }))
  }

  /** @throws Violation `I9` unless all that was acknowledged is in the catalogue that is there now. */
  async catalogueSettled(): Promise<void> {
    const doubt = this.#doubt
    this.#doubt = undefined
    for (const { id } of this.acknowledged) {
      const row = await this.#world.catalogue.read((tx) => tx.snapshots.find(id))
      if (row === undefined)
        throw new Violation('I9', `snapshot ${id} was acknowledged, and the catalogue is without it`)
      await this.#comparePacks(id, doubt?.get(id) ?? [])
    }
    await this.check()
  }

  /** Where a fault took a copy of a pack, a recovery may find the same chunks in another one, of which one was left. */
  async #comparePacks(id: SnapshotId, before: readonly string[]): Promise<void> {
    if (before.every((packId) => this.#wholeOn(packId, 'durable').length >= copiesDefault)) return
    for (const packId of await this.#packsOf(id)) if (!before.includes(packId)) this.#substitutes.add(packId)
  }

  /**
   * @throws Violation `I1` when something that was promised is gone, `I2` when somebody gave up a copy that no fault
   *   took, `I5` when bad bytes are where no fault put them, `I6` when what is relied on is about to go or went
   */
  async check(): Promise<void> {
    for (const packId of await this.#needed()) {
      if (this.#wholeOn(packId, 'seen').length === 0) {
        if (this.#doubt === undefined || !(await this.#isGivenUp(packId)))
          throw new Violation('I1', `pack ${packId} is lost`)
        continue
      }
      this.#requireNoSpread(packId)
      if (this.#doubt === undefined) this.#requireCopies(packId, 2)
    }
    if (this.#doubt === undefined) await this.pins.check(this.#world.catalogue)
  }

  /**
   * Whether a pack that was needed when the catalogue was lost is gone because what it had was moved: the one that is
   * there now may be known for the newest already, by the manager, and has all that was acknowledged without it.
   */
  async #isGivenUp(gone: string): Promise<boolean> {
    for (const { id } of this.acknowledged) {
      const packs = await this.#packsOf(id)
      if (packs.includes(gone) || packs.some((packId) => this.#wholeOn(packId, 'seen').length === 0)) return false
    }
    return true
  }

  /** Packs that something needs which must be there. */
  async #needed(): Promise<ReadonlySet<string>> {
    if (this.#doubt !== undefined) {
      const doubt = this.#doubt
      return new Set(this.#kept.flatMap(({ id }) => doubt.get(id) ?? []))
    }
    return this.#world.catalogue.read(async (tx) => {
      const packs = new Set<string>()
      for (const { id } of this.#kept) for (const packId of await this.#packsIn(tx, id)) packs.add(packId)
      return packs
    })
  }

  /** Whoever is away: what had so many copies once has them for ever, but for what faults took away. */
  #requireCopies(packId: string, copies: number): void {
    const durable = this.#wholeOn(packId, 'durable')
    if (durable.length >= copies) this.#substitutes.delete(packId)
    else if (durable.length > 0 && this.#substitutes.has(packId)) return
    const struck = [...(this.#struck.get(packId) ?? [])].filter((node) => !durable.includes(node))
    if (durable.length > 0 && durable.length + struck.length >= copies) return
    throw new Violation('I2', `pack ${packId} was acknowledged with ${copies} copies, and is on ${durable.join()}`)
  }

  #requireNoSpread(packId: string): void {
    for (const node of this.#world.nodes) {
      if (this.#struck.get(packId)?.has(node.name) === true) continue
      const bad = filesOf(node, packId).find((path) => !this.#isRight(packId, contentOf(node, path, 'seen')))
      if (bad !== undefined) throw new Violation('I5', `${node.name} has wrong bytes in ${bad}`)
    }
  }

  /** Whether every pack that was promised has this many whole copies that would survive a loss of power. */
  async redundant(copies: number): Promise<boolean> {
    for (const { id } of this.acknowledged) {
      for (const packId of await this.#packsOf(id)) {
        if (this.#wholeOn(packId, 'durable').length < copies) return false
      }
    }
    return true
  }

  /** Files on a node's shelves whose bytes are wrong. */
  damagedOn(node: SimNode): string[] {
    return packFiles(node).flatMap(({ packId, path }) =>
      this.#right.has(packId) && !this.#isRight(packId, contentOf(node, path, 'durable')) ? [path] : [],
    )
  }

  /** Whether the node has a whole, durable copy, as far as it is known what that is. */
  hasWhole(node: SimNode, packId: string): boolean {
    return this.#wholeOn(packId, 'durable').includes(node.name)
  }

  /** Where the copies of all packs are that are on any disk, for the fault atlas. */
  holdings(): Promise<Map<string, PackHolding>> {
    return this.#world.catalogue.read(async (tx) => {
      const ids = new Set(this.#world.nodes.flatMap((node) => packFiles(node).map(({ packId }) => packId)))
      const holdings = new Map<string, PackHolding>()
      for (const packId of ids) holdings.set(packId, await this.#holding(tx, packId as PackId))
      return holdings
    })
  }

  async #holding(tx: CatalogueReader, packId: PackId): Promise<PackHolding> {
    const struck = this.#struck.get(packId) ?? new Set()
    const whole = this.#wholeOn(packId, 'durable').filter((name) => !this.#isDoomed(name, packId))
    const pack = await tx.packs.find(packId)
    const all = { packId, good: new Set(whole), surplus: 0, struck }
    // An older catalogue may count any copy that was ever struck, until somebody reads it.
    const counted = new Set([...whole, ...struck]).size
    if (this.#doubt !== undefined) return { ...all, committed: true, surplus: Math.max(0, counted - copiesDefault) }
    const committed = pack?.state === 'committed' || pack?.state === 'condemned'
    if (pack === undefined || !committed) return { ...all, committed: false }
    const [copies = []] = await tx.copies.of([pack.id])
    const leaving = await tx.orders.ofPack(packId)
    const rows = (await tx.nodes.all()).filter(({ admin }) => admin !== 'removed')
    const good = whole.filter((name) => {
      const row = rows.find(({ ref }) => ref.name === name)?.id
      return copies.some(({ node }) => node === row) && !leaving.some(({ node }) => node === row)
    })
    return {
      ...all,
      good: new Set(good),
      surplus: Math.max(0, copies.length - leaving.length - copiesDefault),
      committed,
    }
  }

  /** A copy is about to be lost or damaged; `path` when it is still in its place but must not be relied on any more. */
  striking(packId: string, node: SimNode, path?: string): void {
    this.#learn(packId)
    const struck = this.#struck.get(packId) ?? new Set()
    this.#struck.set(packId, struck.add(node.name))
    if (path !== undefined) this.#doomed.add(`${node.name} ${path}`)
  }

  /** It could be relied on all along, or can again. */
  spared(node: SimNode, path: string): void {
    this.#doomed.delete(`${node.name} ${path}`)
  }

  /** Remembers the right bytes of a pack. @throws Violation `I5` when copies differ that nothing happened to. */
  #learn(packId: string): void {
    if (this.#right.has(packId)) return
    const struck = this.#struck.get(packId)
    const versions = new Set<string>()
    for (const node of this.#world.nodes) {
      if (struck?.has(node.name) === true) continue
      for (const path of filesOf(node, packId)) {
        const content = contentOf(node, path, 'seen')
        if (content !== undefined) versions.add(this.#hash(content))
      }
    }
    if (versions.size > 1) throw new Violation('I5', `copies of pack ${packId} differ`)
    for (const hash of versions) this.#right.set(packId, hash)
  }

  /** The nodes with a whole copy of a pack, also those that do not run. */
  #wholeOn(packId: string, layer: Layer): string[] {
    return this.#world.nodes.flatMap((node) => {
      const whole = filesOf(node, packId).some((path) => this.#isRight(packId, contentOf(node, path, layer)))
      return whole ? [node.name] : []
    })
  }

  #isDoomed(name: string, packId: string): boolean {
    return filesOf(this.#world.node(name), packId).some((path) => this.#doomed.has(`${name} ${path}`))
  }

  #isRight(packId: string, content: Uint8Array | undefined): boolean {
    if (content === undefined) return false
    const right = this.#right.get(packId)
    return right === undefined || this.#hash(content) === right
  }

  #packsOf(id: SnapshotId): Promise<string[]> {
    return this.#world.catalogue.read((tx) => this.#packsIn(tx, id))
  }

  async #packsIn(tx: CatalogueReader, id: SnapshotId): Promise<string[]> {
    const row = await tx.snapshots.find(id)
    if (row === undefined) throw new Violation('I1', `snapshot ${id} was acknowledged and is not in the catalogue`)
    const set = await tx.snapshots.packs(row.commitSequence)
    const packs = set === undefined ? [] : await tx.packs.byIds(decodePackSet(set))
    return packs.map((pack) => {
      if (pack?.state !== 'committed') throw new Violation('I6', `snapshot ${id} needs a pack that is ${pack?.state}`)
      return pack.packId
    })
  }

  #hash(content: Uint8Array): string {
    const known = this.#hashes.get(content)
    if (known !== undefined) return known
    const hash = toHex(blake3(asBuffer(content)))
    this.#hashes.set(content, hash)
    return hash
  }
}

export interface PackFile {
  readonly packId: string
  readonly path: string
}

interface Listing {
  readonly version: number
  readonly files: readonly PackFile[]
  readonly byPack: ReadonlyMap<string, readonly string[]>
}

/** What was on the shelves of each disk when it was looked at last. */
const listings = new WeakMap<object, Listing>()

function listingOf({ disk, away }: SimNode): Listing {
  const known = listings.get(away ?? disk)
  if (known?.version === (away === undefined ? disk.version : 0)) return known
  const paths = away === undefined ? disk.files() : [...away.keys()]
  const files = paths.flatMap((path) => {
    const put = path.startsWith(`${packsDirectory}/`) ? parseFileName(path.split('/').at(-1) ?? '') : undefined
    return put === undefined ? [] : [{ packId: put.packId, path }]
  })
  const byPack = new Map<string, string[]>()
  for (const { packId, path } of files) byPack.set(packId, [...(byPack.get(packId) ?? []), path])
  const listing = { version: away === undefined ? disk.version : 0, files, byPack }
  listings.set(away ?? disk, listing)
  return listing
}

/** A disk that is not mounted has what it has. */
function contentOf({ disk, away }: SimNode, path: string, layer: Layer): Uint8Array | undefined {
  return away === undefined ? disk.content(path, layer) : away.get(path)
}

/** The sealed packs on a node's disk. */
export function packFiles(node: SimNode): readonly PackFile[] {
  return listingOf(node).files
}

function filesOf(node: SimNode, packId: string): readonly string[] {
  return listingOf(node).byPack.get(packId) ?? []
}
