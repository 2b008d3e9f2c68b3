import type { Disk } from '../core/disk.ts'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import { catalogueCopiesKept, diskReserveBytes } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { KeepCatalogue } from '../core/messages.ts'
import { createHasher } from '../format/hash.ts'
import type { ManagerApi } from './manager-api.ts'

const directory = 'catalogue'
const namePattern = /^[0-9-]{1,64}$/

export interface KeeperDeps {
  readonly disk: Disk
  readonly manager: ManagerApi
  readonly logger: Logger
}

/** Keeps the newest copies of the manager's catalogue, as files `catalogue/NAME.db.zst`. */
export class CatalogueKeeper {
  readonly #deps: KeeperDeps

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  /** Fetches a copy, one at a time. @throws TwofoldError `no-room`, `integrity`, and what the manager answers */
  async keep({ name, lengthBytes, hash }: KeepCatalogue): Promise<void> {
    const { disk } = this.#deps
    if (!namePattern.test(name)) throw new TwofoldError('invalid-argument', 'a copy of the catalogue has a bad name')
    await disk.makeDirectory(directory)
    const kept = await this.#clean()
    if (kept.includes(name)) return
    if ((await disk.freeBytes()) - diskReserveBytes < lengthBytes) {
      throw new TwofoldError('no-room', `no room for a copy of the catalogue of ${lengthBytes} bytes`)
    }
    const draft = `${directory}/${name}.tmp`
    try {
      await this.#write(draft, { name, lengthBytes, hash })
    } catch (error) {
      // What cannot be removed now is removed before the next copy.
      await disk.remove(draft).catch((failure: unknown) => this.#deps.logger.warn('a draft stays behind', { failure }))
      throw error
    }
    await disk.rename(draft, pathOf(name))
    await disk.syncDirectory(directory)
    const all = [...kept, name].sort()
    for (const old of all.slice(0, -catalogueCopiesKept)) await disk.remove(pathOf(old))
    await disk.syncDirectory(directory)
  }

  async #write(path: string, copy: Pick<KeepCatalogue, 'name' | 'lengthBytes' | 'hash'>): Promise<void> {
    const file = await this.#deps.disk.create(path)
    try {
      const hasher = createHasher()
      let length = 0
      for await (const data of this.#deps.manager.readCatalogueBackup(copy.name)) {
        if (length + data.length > copy.lengthBytes) throw wrong(copy.name)
        hasher.update(data)
        await file.write(data, length)
        length += data.length
      }
      if (length !== copy.lengthBytes || !asBuffer(hasher.digest()).equals(copy.hash)) throw wrong(copy.name)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Removes what an interrupted copy left behind. @returns the names of the copies that are there. */
  async #clean(): Promise<string[]> {
    const { disk } = this.#deps
    const names: string[] = []
    for (const entry of await disk.list(directory)) {
      if (entry.name.endsWith('.tmp')) await disk.remove(`${directory}/${entry.name}`)
      else if (entry.name.endsWith('.db.zst')) names.push(entry.name.slice(0, -'.db.zst'.length))
    }
    return names
  }
}

function pathOf(name: string): string {
  return `${directory}/${name}.db.zst`
}

function wrong(name: string): TwofoldError {
  return new TwofoldError('integrity', `the copy ${name} of the catalogue did not arrive as it was sent`)
}
