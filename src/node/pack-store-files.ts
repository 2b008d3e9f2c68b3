import type { Disk, DiskEntry } from '../core/disk.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { ignoreAbsence } from '../core/ignore-absence.ts'
import { diskReserveBytes } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { Semaphore } from '../core/semaphore.ts'
import { Inventory } from './inventory.ts'
import { FileDraft } from './pack-draft-file.ts'
import type { DraftPack } from './pack-draft-file.ts'
import { incomingDirectory, packsDirectory, pathOf, readShelved, shelfOf } from './pack-file-name.ts'
import type {
  Finding,
  PackDraft,
  PackReader,
  PackStore,
  PutBound,
  QuarantinedPack,
  StoredPack,
  StoreInventory,
  StoreUsage,
} from './pack-store.ts'
import { ProofLog } from './proof-log.ts'
import { PutSequence } from './put-sequence.ts'
import { Quarantine } from './quarantine.ts'

export interface PackStoreOptions {
  readonly disk: Disk
  readonly capacityBytes: number
  readonly logger: Logger
}

/**
 * Packs as files: `incoming/ID.GENERATION.tmp` while they are written, `packs/AB/ID.GENERATION.SEQUENCE.LENGTH.pack`
 * from then on. The name carries all that is known of the put, so one rename publishes it, and a file that lost its
 * end is seen without being read.
 */
export class FilePackStore implements PackStore {
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #capacityBytes: number
  readonly #sequence: PutSequence
  readonly #quarantine: Quarantine
  readonly #proofs: ProofLog
  readonly #inventory = new Inventory()
  readonly #drafts = new Set<string>()
  /** Numbers of puts that are given and not yet listed. */
  readonly #underway = new Set<number>()
  /** Older puts that could not be removed when a newer one took their place. */
  #stale: StoredPack[] = []
  /** Removals and quarantine change what each other look at. */
  readonly #turn = new Semaphore(1)
  readonly #saving = new Semaphore(1)
  #reservedBytes = 0
  #problem = ''

  private constructor(options: PackStoreOptions, sequence: PutSequence) {
    this.#disk = options.disk
    this.#logger = options.logger
    this.#capacityBytes = options.capacityBytes
    this.#sequence = sequence
    this.#quarantine = new Quarantine(options.disk, options.logger)
    this.#proofs = new ProofLog(options.disk, options.logger)
  }

  /** Opens the store: what was not sealed is removed, packs that cannot be whole are put aside. */
  static async open(options: PackStoreOptions): Promise<FilePackStore> {
    const { disk } = options
    for (const directory of [incomingDirectory, packsDirectory]) await disk.makeDirectory(directory)
    const store = new FilePackStore(options, await PutSequence.open(disk))
    store.#sequence.raise(await store.#quarantine.load())
    for (const { name } of await disk.list(incomingDirectory)) await disk.remove(`${incomingDirectory}/${name}`)
    await disk.syncDirectory(incomingDirectory)
    for (const shelf of await disk.list(packsDirectory)) {
      if (!shelf.directory) continue
      for (const entry of await disk.list(`${packsDirectory}/${shelf.name}`)) await store.#takeIn(shelf.name, entry)
    }
    store.#quarantine.forgetWhatIsServed((packId) => store.stat(packId))
    await store.#proofs.load((proof) => store.#prove(proof.packId, proof.putSequence, proof.provenAtMs))
    return store
  }

  async #takeIn(shelf: string, entry: DiskEntry): Promise<void> {
    const file = readShelved(shelf, entry)
    if (file.kind === 'damaged') {
      this.#sequence.raise(file.put?.putSequence ?? 0)
      return this.#quarantine.takeOdd(shelf, entry, file)
    }
    const { pack, path } = file
    this.#sequence.raise(pack.putSequence)
    // A name of an older version, which had no length.
    if (path !== pathOf(pack)) await this.#disk.rename(path, pathOf(pack))
    const other = this.#inventory.get(pack.packId)
    const [older, newer] = other !== undefined && other.putSequence > pack.putSequence ? [pack, other] : [other, pack]
    if (older !== undefined) await this.#disk.remove(pathOf(older))
    this.#inventory.put(newer)
  }

  get problem(): string {
    return this.#problem
  }

  async begin(packId: PackId, generation: number, lengthBytes: number): Promise<PackDraft> {
    this.#requireWritable()
    const path = `${incomingDirectory}/${packId}.${generation}.tmp`
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
      const file = await this.#disk.create(path, { inOrder: true })
      return new FileDraft({
        ...{ disk: this.#disk, file, path, release, pack: { packId, generation, lengthBytes } },
        publish: (draftPath, pack) => this.#publish(draftPath, pack),
        failed: (error) => this.judge(error),
      })
    } catch (error) {
      release()
      this.judge(error)
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
    const capacityLeft = this.#capacityBytes - this.#usedBytes - this.#reservedBytes
    const diskLeft = (await this.#disk.freeBytes()) - diskReserveBytes - this.#reservedBytes
    if (capacityLeft >= 0 && diskLeft >= 0) return
    const what = capacityLeft < 0 ? 'capacity' : 'disk'
    throw new TwofoldError('no-room', `this node's ${what} has no room for a pack of ${lengthBytes} bytes`)
  }

  get #usedBytes(): number {
    return this.#inventory.usedBytes + this.#quarantine.usedBytes
  }

  /** Gives a synced draft its final name. */
  async #publish(path: string, draft: DraftPack): Promise<StoredPack> {
    this.#requireWritable()
    const putSequence = await this.#sequence.next((number) => this.#underway.add(number))
    try {
      const pack = { ...draft, putSequence, provenAtMs: 0 }
      await this.#disk.makeDirectory(shelfOf(pack.packId))
      await this.#disk.rename(path, pathOf(pack))
      try {
        await this.#disk.syncDirectory(shelfOf(pack.packId))
      } catch (error) {
        await this.#takeBack(pack)
        throw error
      }
      const older = this.#inventory.get(pack.packId)
      this.#inventory.put(pack)
      if (older !== undefined) await this.#removeOlder(older)
      return pack
    } finally {
      this.#underway.delete(putSequence)
    }
  }

  /** The new put is durable whatever becomes of the old one, which at the latest goes at the next start. */
  async #removeOlder(older: StoredPack): Promise<void> {
    try {
      await this.#disk.remove(pathOf(older)).catch(ignoreAbsence)
    } catch (error) {
      this.judge(error)
      this.#stale.push(older)
    }
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

  /** Takes note of a failure, also of others on this disk: if it was the disk, no write can be believed any more. */
  judge(error: unknown): void {
    if (this.#problem !== '' || !isTwofoldError(error, 'io')) return
    this.#problem = `its disk failed (${describeError(error)}); replace it, or check it and restart the node`
    this.#logger.error('the store takes no more writes', { error })
  }

  stat(packId: PackId): StoredPack | undefined {
    return this.#inventory.get(packId)
  }

  list(): Iterable<StoredPack> {
    return this.#inventory.values()
  }

  inventory(): StoreInventory {
    const asOfPutSequence = Math.min(this.#sequence.last, ...[...this.#underway].map((number) => number - 1))
    return { packs: [...this.#inventory.values()], asOfPutSequence }
  }

  async open(packId: PackId): Promise<PackReader> {
    const pack = this.#inventory.get(packId)
    if (pack === undefined) throw this.#absent(packId)
    try {
      const file = await this.#disk.open(pathOf(pack))
      return { pack, read: (target, offset) => file.read(target, offset), close: () => file.close() }
    } catch (error) {
      if (!isTwofoldError(error, 'not-found')) throw error
      const now = this.#inventory.get(packId)
      // Replaced or removed since it was looked up.
      if (now?.putSequence !== pack.putSequence) return this.open(packId)
      throw new TwofoldError('integrity', `the file of pack ${packId} is gone`, { cause: error })
    }
  }

  #absent(packId: PackId): TwofoldError {
    const aside = this.#quarantine.of(packId).at(-1)
    if (aside === undefined) return new TwofoldError('not-found', `this node has no pack ${packId}`)
    return new TwofoldError('integrity', `this node's copy of pack ${packId} is put aside: ${aside.problem}`)
  }

  remove(packId: PackId, bound: PutBound): Promise<boolean> {
    const covers = (put: Pick<StoredPack, 'generation' | 'putSequence'>): boolean =>
      'generationMax' in bound ? put.generation <= bound.generationMax : put.putSequence <= bound.putSequenceMax
    return this.#changing(async () => {
      for (const aside of this.#quarantine.of(packId)) {
        if (covers(aside)) await this.#quarantine.discard(packId, aside.putSequence)
      }
      for (const stale of this.#stale.filter((put) => put.packId === packId && covers(put))) {
        await this.#removeFile(stale)
        this.#stale = this.#stale.filter((put) => put !== stale)
      }
      const pack = this.#inventory.get(packId)
      if (pack === undefined) return true
      if (!covers(pack)) return false
      // Until its name is gone for good it stays listed, so that the removal is tried again.
      await this.#removeFile(pack)
      if (this.#inventory.get(packId)?.putSequence === pack.putSequence) this.#inventory.delete(packId)
      return this.#inventory.get(packId) === undefined
    })
  }

  async #removeFile(pack: StoredPack): Promise<void> {
    await this.#disk.remove(pathOf(pack)).catch(ignoreAbsence)
    await this.#disk.syncDirectory(shelfOf(pack.packId))
  }

  quarantine(packId: PackId, putSequence: number, finding: Finding): Promise<boolean> {
    return this.#changing(async () => {
      const pack = this.#inventory.get(packId)
      if (pack?.putSequence !== putSequence) return this.#quarantine.has(packId, putSequence)
      this.#inventory.delete(packId)
      try {
        await this.#quarantine.take(pack, finding)
      } catch (error) {
        this.judge(error)
        this.#logger.error('a damaged pack is out of service, but its file could not be put aside', { packId, error })
      }
      return true
    })
  }

  quarantined(): Iterable<QuarantinedPack> {
    return this.#quarantine.values()
  }

  discard(packId: PackId, putSequence: number): Promise<void> {
    return this.#changing(() => this.#quarantine.discard(packId, putSequence))
  }

  /** One change at a time. A disk that fails one of them takes no more writes. */
  #changing<T>(work: () => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      try {
        return await work()
      } catch (error) {
        this.judge(error)
        throw error
      }
    })
  }

  markProven(packId: PackId, putSequence: number, provenAtMs: number): void {
    if (this.#prove(packId, putSequence, provenAtMs)) this.#proofs.note({ packId, putSequence, provenAtMs })
  }

  #prove(packId: PackId, putSequence: number, provenAtMs: number): boolean {
    const pack = this.#inventory.get(packId)
    if (pack?.putSequence !== putSequence) return false
    this.#inventory.put({ ...pack, provenAtMs })
    return true
  }

  saveProofs(): Promise<void> {
    return this.#saving.run(async () => {
      if (this.#problem !== '') return
      try {
        await this.#proofs.save([...this.#inventory.values()])
      } catch (error) {
        this.judge(error)
        if (!isTwofoldError(error, 'no-room')) throw error
      }
    })
  }

  close(): Promise<void> {
    return this.#saving.run(() => this.#proofs.close())
  }

  skipTo(putSequence: number): Promise<void> {
    return this.#sequence.skipTo(putSequence)
  }

  async usage(): Promise<StoreUsage> {
    const diskLeft = (await this.#diskFreeBytes()) - diskReserveBytes
    const { size, digest } = this.#inventory
    const usedBytes = this.#usedBytes
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
      this.judge(error)
      return 0
    }
  }
}
