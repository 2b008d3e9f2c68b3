import type { Disk, DiskEntry, DiskFile } from '../core/disk.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import { parsePackId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { diskReserveBytes } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { Inventory } from './inventory.ts'
import type { PackDraft, PackReader, PackStore, PutBound, StoredPack, StoreUsage } from './pack-store.ts'
import { PutSequence } from './put-sequence.ts'

const incoming = 'incoming'
const packs = 'packs'
const quarantine = 'quarantine'
const packName = /^([0-9a-f]{32})\.(\d{1,10})\.(\d{1,15})\.pack$/

export interface PackStoreOptions {
  readonly disk: Disk
  readonly capacityBytes: number
  readonly logger: Logger
}

/**
 * Packs as files: `incoming/ID.GENERATION.tmp` while they are written, `packs/AB/ID.GENERATION.SEQUENCE.pack` from then
 * on. The name carries all that is known of the put, so one rename publishes it.
 */
export class FilePackStore implements PackStore {
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #capacityBytes: number
  readonly #sequence: PutSequence
  readonly #inventory = new Inventory()
  readonly #drafts = new Set<string>()
  #reservedBytes = 0
  #problem = ''

  private constructor(options: PackStoreOptions, sequence: PutSequence) {
    this.#disk = options.disk
    this.#logger = options.logger
    this.#capacityBytes = options.capacityBytes
    this.#sequence = sequence
  }

  /** Opens the store: what was not sealed is removed, packs that cannot be whole are put aside. */
  static async open(options: PackStoreOptions): Promise<FilePackStore> {
    const { disk } = options
    for (const directory of [incoming, packs, quarantine]) await disk.makeDirectory(directory)
    const store = new FilePackStore(options, await PutSequence.open(disk))
    for (const { name } of await disk.list(incoming)) await disk.remove(`${incoming}/${name}`)
    await disk.syncDirectory(incoming)
    for (const shelf of await disk.list(packs)) {
      if (shelf.directory) await store.#takeIn(shelf.name)
    }
    return store
  }

  async #takeIn(shelf: string): Promise<void> {
    for (const entry of await this.#disk.list(`${packs}/${shelf}`)) {
      const pack = readName(shelf, entry)
      if (pack === undefined) {
        this.#logger.error('a file that is no pack is put aside', { file: `${packs}/${shelf}/${entry.name}` })
        await this.#putAside(shelf, entry.name)
        continue
      }
      const other = this.#inventory.get(pack.packId)
      const [older, newer] = other !== undefined && other.putSequence > pack.putSequence ? [pack, other] : [other, pack]
      if (older !== undefined) await this.#disk.remove(pathOf(older))
      this.#inventory.put(newer)
      this.#sequence.raise(newer.putSequence)
    }
  }

  async #putAside(shelf: string, name: string): Promise<void> {
    await this.#disk.rename(`${packs}/${shelf}/${name}`, `${quarantine}/${name}`)
    await this.#disk.syncDirectory(quarantine)
    await this.#disk.syncDirectory(`${packs}/${shelf}`)
  }

  get problem(): string {
    return this.#problem
  }

  async begin(packId: PackId, generation: number, lengthBytes: number): Promise<PackDraft> {
    this.#requireWritable()
    const path = `${incoming}/${packId}.${generation}.tmp`
    if (this.#drafts.has(path)) {
      throw new TwofoldError('already-exists', `pack ${packId} is being written by another stream; wait for its end`)
    }
    this.#drafts.add(path)
    this.#reservedBytes += lengthBytes
    const release = (): void => {
      this.#drafts.delete(path)
      this.#reservedBytes -= lengthBytes
    }
    try {
      await this.#requireRoom(lengthBytes)
      const file = await this.#disk.create(path)
      const pack = { packId, generation, lengthBytes }
      return new FileDraft({ store: this, disk: this.#disk, file, path, pack, release })
    } catch (error) {
      release()
      throw error
    }
  }

  #requireWritable(): void {
    if (this.#problem !== '') {
      throw new TwofoldError('read-only', `this node's store takes no writes: ${this.#problem}`)
    }
  }

  /** What was reserved for this pack already counts. */
  async #requireRoom(lengthBytes: number): Promise<void> {
    const capacityLeft = this.#capacityBytes - this.#inventory.usedBytes - this.#reservedBytes
    const diskLeft = (await this.#disk.freeBytes()) - diskReserveBytes - this.#reservedBytes
    if (capacityLeft >= 0 && diskLeft >= 0) return
    const what = capacityLeft < 0 ? 'capacity' : 'disk'
    throw new TwofoldError('no-room', `this node's ${what} has no room for a pack of ${lengthBytes} bytes`)
  }

  /** Gives a synced draft its final name. Only the draft calls it. */
  async publish(path: string, draft: Pick<StoredPack, 'packId' | 'generation' | 'lengthBytes'>): Promise<StoredPack> {
    this.#requireWritable()
    const { packId, generation, lengthBytes } = draft
    const putSequence = await this.#sequence.next()
    const pack = { packId, lengthBytes, generation, putSequence, provenAtMs: 0 }
    await this.#disk.makeDirectory(shelfOf(packId))
    await this.#disk.rename(path, pathOf(pack))
    try {
      await this.#disk.syncDirectory(shelfOf(packId))
    } catch (error) {
      await this.#takeBack(pack)
      throw error
    }
    const older = this.#inventory.get(packId)
    this.#inventory.put(pack)
    // The new put is durable whatever becomes of the old one, which at the latest goes at the next start.
    if (older !== undefined) await this.#disk.remove(pathOf(older)).catch((error: unknown) => this.distrust(error))
    return pack
  }

  /** A pack that could not be made durable was never there, and must not turn up at the next start. */
  async #takeBack(pack: StoredPack): Promise<void> {
    try {
      await this.#disk.remove(pathOf(pack))
    } catch (error) {
      // The failure that led here is what counts; a copy that nobody waits for does no harm.
      this.#logger.error('a pack that was not made durable stays behind', { packId: pack.packId, error })
    }
  }

  /** Nothing that this disk says of its writes can be believed any more. */
  distrust(error: unknown): void {
    if (this.#problem !== '') return
    this.#problem = `its disk failed (${describeError(error)}); replace it, or check it and restart the node`
    this.#logger.error('the store takes no more writes', { error })
  }

  stat(packId: PackId): StoredPack | undefined {
    return this.#inventory.get(packId)
  }

  list(): Iterable<StoredPack> {
    return this.#inventory.values()
  }

  async open(packId: PackId): Promise<PackReader> {
    const pack = this.#inventory.get(packId)
    if (pack === undefined) throw new TwofoldError('not-found', `this node has no pack ${packId}`)
    const file = await this.#disk.open(pathOf(pack))
    return {
      pack,
      read: (target, offset) => file.read(target, offset),
      close: () => file.close(),
    }
  }

  async remove(packId: PackId, bound: PutBound): Promise<boolean> {
    const pack = this.#inventory.get(packId)
    if (pack === undefined) return true
    const newer =
      'generationMax' in bound ? pack.generation > bound.generationMax : pack.putSequence > bound.putSequenceMax
    if (newer) return false
    try {
      await this.#disk.remove(pathOf(pack)).catch(ignoreAbsence)
      await this.#disk.syncDirectory(shelfOf(packId))
    } catch (error) {
      // The pack stays listed, so that the removal is tried again: otherwise its file would be back after a restart.
      this.distrust(error)
      throw error
    }
    if (this.#inventory.get(packId)?.putSequence === pack.putSequence) this.#inventory.delete(packId)
    return true
  }

  markProven(packId: PackId, provenAtMs: number): void {
    const pack = this.#inventory.get(packId)
    if (pack !== undefined) this.#inventory.put({ ...pack, provenAtMs })
  }

  async usage(): Promise<StoreUsage> {
    const diskLeft = (await this.#diskFreeBytes()) - diskReserveBytes
    const { usedBytes, size, digest } = this.#inventory
    const left = Math.min(this.#capacityBytes - usedBytes, diskLeft) - this.#reservedBytes
    return {
      capacityBytes: this.#capacityBytes,
      usedBytes,
      freeBytes: Math.max(0, left),
      packs: size,
      putSequence: this.#sequence.last,
      inventoryDigest: digest,
    }
  }

  async #diskFreeBytes(): Promise<number> {
    try {
      return await this.#disk.freeBytes()
    } catch (error) {
      this.distrust(error)
      return 0
    }
  }
}

interface DraftOptions {
  readonly store: FilePackStore
  readonly disk: Disk
  readonly file: DiskFile
  readonly path: string
  readonly pack: Pick<StoredPack, 'packId' | 'generation' | 'lengthBytes'>
  /** Gives the reserved room back. */
  readonly release: () => void
}

class FileDraft implements PackDraft {
  readonly #options: DraftOptions
  #written = 0
  #state: 'open' | 'sealed' | 'closed' = 'open'

  constructor(options: DraftOptions) {
    this.#options = options
  }

  async append(slice: Uint8Array): Promise<void> {
    const { file } = this.#options
    const { lengthBytes } = this.#options.pack
    if (this.#written + slice.length > lengthBytes) {
      throw new TwofoldError('invalid-argument', `the pack is longer than the announced ${lengthBytes} bytes`)
    }
    await file.write(slice, this.#written)
    this.#written += slice.length
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return this.#options.file.read(target, offset)
  }

  async seal(): Promise<StoredPack> {
    const { store, file, path, pack } = this.#options
    if (this.#written !== pack.lengthBytes) {
      const message = `the pack ends after ${this.#written} of ${pack.lengthBytes} bytes`
      throw new TwofoldError('invalid-argument', message)
    }
    try {
      await file.sync()
      const sealed = await store.publish(path, pack)
      this.#state = 'sealed'
      return sealed
    } catch (error) {
      // After a failed sync or rename nobody knows what is on the disk.
      if (isTwofoldError(error, 'io')) store.distrust(error)
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const { store, disk, file, path, release } = this.#options
    const abandoned = this.#state === 'open'
    this.#state = 'closed'
    try {
      await file.close()
      if (abandoned) await disk.remove(path)
    } catch (error) {
      // What is left over is removed at the next start; but a disk that cannot do this cannot be trusted with more.
      if (!isTwofoldError(error, 'not-found')) store.distrust(error)
    } finally {
      release()
    }
  }
}

function shelfOf(packId: PackId): string {
  return `${packs}/${packId.slice(0, 2)}`
}

function pathOf(pack: StoredPack): string {
  return `${shelfOf(pack.packId)}/${pack.packId}.${pack.generation}.${pack.putSequence}.pack`
}

/** The pack that a file on a shelf is; undefined for one that this store never wrote there, or that lost its bytes. */
function readName(shelf: string, { name, length }: DiskEntry): StoredPack | undefined {
  const [, id, generation, putSequence] = packName.exec(name) ?? []
  if (id === undefined || length === 0) return undefined
  const numbers = { generation: Number(generation), putSequence: Number(putSequence) }
  const pack = { packId: parsePackId(id), lengthBytes: length, provenAtMs: 0, ...numbers }
  return pathOf(pack) === `${packs}/${shelf}/${name}` ? pack : undefined
}

function ignoreAbsence(error: unknown): void {
  if (!isTwofoldError(error, 'not-found')) throw error
}
