import type { Disk } from '../core/disk.ts'
import { isTwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { ignoreAbsence } from '../core/ignore-absence.ts'
import type { Logger } from '../core/logger.ts'
import { fileNameOf, packsDirectory, parseFileName, pathOf, quarantineDirectory, shelfOf } from './pack-file-name.ts'
import type { NamedPut } from './pack-file-name.ts'
import type { Finding, QuarantinedPack, StoredPack } from './pack-store.ts'

interface Entry {
  pack: QuarantinedPack
  /** Where its file is; undefined when it has none any more. */
  path: string | undefined
  /** Whether it may be told: a crash before that would bring the copy back, and nobody may know it as gone. */
  settled: boolean
}

/**
 * The puts of a store that are out of service, each in a file of its old name in `quarantine/`. Files there that are no
 * packs are kept too, and count as used.
 */
export class Quarantine {
  readonly #disk: Disk
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  readonly #names = new Set<string>()
  #otherBytes = 0

  constructor(disk: Disk, logger: Logger) {
    this.#disk = disk
    this.#logger = logger
  }

  /** Finds again what was put aside before. @returns the highest put sequence among it. */
  async load(): Promise<number> {
    await this.#disk.makeDirectory(quarantineDirectory)
    let highest = 0
    const files = await this.#disk.list(quarantineDirectory)
    const order = ({ name }: { name: string }): number => parseFileName(name)?.putSequence ?? 0
    for (const { name, length } of files.toSorted((a, b) => order(a) - order(b))) {
      this.#names.add(name)
      const put = parseFileName(name)
      highest = Math.max(highest, put?.putSequence ?? 0)
      this.#found(put, { name, length }, { problem: 'it was put aside before this node was started', foundAtMs: 0 })
    }
    return highest
  }

  #found(put: NamedPut | undefined, { name, length }: { name: string; length: number }, finding: Finding): void {
    if (put === undefined || this.#entries.has(keyOf(put))) {
      this.#otherBytes += length
      return
    }
    const pack = { ...put, lengthBytes: length, ...finding }
    this.#entries.set(keyOf(put), { pack, path: `${quarantineDirectory}/${name}`, settled: true })
  }

  /** Puts a file aside that was found on a shelf when the store was opened, and cannot be a good pack. */
  async takeOdd(
    shelf: string,
    { name, length }: { name: string; length: number },
    { put, problem }: { put: NamedPut | undefined; problem: string },
  ): Promise<void> {
    const from = `${packsDirectory}/${shelf}/${name}`
    this.#logger.error('a file is put aside', { file: from, problem })
    let aside = name
    for (let number = 2; this.#names.has(aside); number++) aside = `${name}~${number}`
    await this.#disk.rename(from, `${quarantineDirectory}/${aside}`)
    await this.#sync(`${packsDirectory}/${shelf}`)
    this.#names.add(aside)
    this.#found(put, { name: aside, length }, { problem, foundAtMs: 0 })
  }

  /** Drops the reports of puts that are there and good: what is aside was a second file of theirs. */
  forgetWhatIsServed(served: (packId: PackId) => StoredPack | undefined): void {
    for (const [key, { pack }] of this.#entries) {
      if (served(pack.packId)?.putSequence !== pack.putSequence) continue
      this.#otherBytes += pack.lengthBytes
      this.#entries.delete(key)
    }
  }

  get usedBytes(): number {
    let bytes = this.#otherBytes
    for (const { pack } of this.#entries.values()) bytes += pack.lengthBytes
    return bytes
  }

  has(packId: PackId, putSequence: number): boolean {
    return this.#entries.has(keyOf({ packId, putSequence }))
  }

  *values(): Iterable<QuarantinedPack> {
    for (const { pack, settled } of this.#entries.values()) if (settled) yield pack
  }

  /** What is aside of a pack. */
  of(packId: PackId): QuarantinedPack[] {
    return [...this.#entries.values()].map(({ pack }) => pack).filter((pack) => pack.packId === packId)
  }

  /**
   * Takes a pack of the store; it must not be served any more.
   * @throws when the disk cannot put it aside durably; it is listed all the same.
   */
  async take(stored: StoredPack, finding: Finding): Promise<void> {
    const { packId, generation, putSequence, lengthBytes } = stored
    const pack = { packId, generation, putSequence, lengthBytes, ...finding }
    const entry: Entry = { pack, path: pathOf(stored), settled: false }
    this.#entries.set(keyOf(pack), entry)
    this.#logger.error('a damaged pack is put aside', { packId, putSequence, problem: finding.problem })
    try {
      const name = fileNameOf(stored)
      await this.#disk.rename(pathOf(stored), `${quarantineDirectory}/${name}`)
      this.#names.add(name)
      entry.path = `${quarantineDirectory}/${name}`
      await this.#sync(shelfOf(packId))
    } catch (error) {
      if (!isTwofoldError(error, 'not-found')) throw error
      entry.path = undefined
      entry.pack = { ...pack, lengthBytes: 0 }
    } finally {
      entry.settled = true
    }
  }

  /** Deletes one, durably. @throws when the disk fails; it is then still aside. */
  async discard(packId: PackId, putSequence: number): Promise<void> {
    const key = keyOf({ packId, putSequence })
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const { path } = entry
    if (path !== undefined) {
      await this.#disk.remove(path).catch(ignoreAbsence)
      await this.#disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
      this.#names.delete(path.slice(path.lastIndexOf('/') + 1))
    }
    this.#entries.delete(key)
  }

  async #sync(shelf: string): Promise<void> {
    await this.#disk.syncDirectory(quarantineDirectory)
    await this.#disk.syncDirectory(shelf)
  }
}

function keyOf({ packId, putSequence }: { readonly packId: PackId; readonly putSequence: number }): string {
  return `${packId}.${putSequence}`
}
