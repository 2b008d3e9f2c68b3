import type { Disk, DiskFile } from '../core/disk.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import { parsePackId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { diskReserveBytes } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { Inventory } from './inventory.ts'
import type { PackDraft, PackReader, PackStore, StoredPack, StoreUsage } from './pack-store.ts'
import { PutSequence } from './put-sequence.ts'

const incoming = 'incoming'
const packs = 'packs'
const quarantine = 'quarantine'
const packName = /^([0-9a-f]{32})\.(\d+)\.pack$/

export interface PackStoreOptions {
  readonly disk: Disk
  readonly capacityBytes: number
  readonly logger: Logger
}

/**
 * Packs as files: `incoming/ID.GENERATION.tmp` while they are written, `packs/AB/ID.SEQUENCE.pack` from then on. The
 * name carries the put sequence, so one rename publishes both.
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
    for (const { name, length } of await this.#disk.list(`${packs}/${shelf}`)) {
      const [, id, sequence] = packName.exec(name) ?? []
      if (id === undefined || sequence === undefined || length === 0) {
        this.#logger.error('a file that is no pack is put aside', { file: `${packs}/${shelf}/${name}`, length })
        await this.#putAside(shelf, name)
        continue
      }
      const pack = { packId: parsePackId(id), lengthBytes: length, putSequence: Number(sequence), provenAtMs: 0 }
      const other = this.#inventory.get(pack.packId)
      const [older, newer] = other !== undefined && other.putSequence > pack.putSequence ? [pack, other] : [other, pack]
      if (older !== undefined) await this.#disk.remove(pathOf(older))
      this.#inventory.put(newer)
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
      return new FileDraft({ store: this, disk: this.#disk, file, path, packId, lengthBytes, release })
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
  async publish(path: string, packId: PackId, lengthBytes: number): Promise<StoredPack> {
    this.#requireWritable()
    const older = this.#inventory.get(packId)
    const putSequence = await this.#sequence.next()
    const pack = { packId, lengthBytes, putSequence, provenAtMs: 0 }
    await this.#disk.makeDirectory(shelfOf(packId))
    await this.#disk.rename(path, pathOf(pack))
    await this.#disk.syncDirectory(shelfOf(packId))
    this.#inventory.put(pack)
    if (older !== undefined) await this.#disk.remove(pathOf(older))
    return pack
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

  async remove(packId: PackId, putSequenceMax: number): Promise<boolean> {
    const pack = this.#inventory.get(packId)
    if (pack === undefined) return true
    if (pack.putSequence > putSequenceMax) return false
    this.#inventory.delete(packId)
    await this.#disk.remove(pathOf(pack))
    await this.#disk.syncDirectory(shelfOf(packId))
    return true
  }

  markProven(packId: PackId, provenAtMs: number): void {
    const pack = this.#inventory.get(packId)
    if (pack !== undefined) this.#inventory.put({ ...pack, provenAtMs })
  }

  async usage(): Promise<StoreUsage> {
    const { usedBytes, size, digest } = this.#inventory
    const diskLeft = (await this.#disk.freeBytes()) - diskReserveBytes
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
}

interface DraftOptions {
  readonly store: FilePackStore
  readonly disk: Disk
  readonly file: DiskFile
  readonly path: string
  readonly packId: PackId
  readonly lengthBytes: number
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
    const { file, lengthBytes } = this.#options
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
    const { store, file, path, packId, lengthBytes } = this.#options
    if (this.#written !== lengthBytes) {
      throw new TwofoldError('invalid-argument', `the pack ends after ${this.#written} of ${lengthBytes} bytes`)
    }
    try {
      await file.sync()
      const pack = await store.publish(path, packId, lengthBytes)
      this.#state = 'sealed'
      return pack
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
  return `${shelfOf(pack.packId)}/${pack.packId}.${pack.putSequence}.pack`
}
