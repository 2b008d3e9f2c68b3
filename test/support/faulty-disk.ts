import type { CreateOptions, Disk, DiskEntry, DiskFile } from '../../src/core/disk.ts'

export type DiskCall =
  'create' | 'open' | 'read' | 'write' | 'sync' | 'close' | 'rename' | 'remove' | 'syncDirectory' | 'freeBytes'

/** A disk that fails where a test says so, and otherwise passes everything on. */
export class FaultyDisk implements Disk {
  readonly #disk: Disk
  readonly #faults = new Map<DiskCall, Error>()
  /** What `freeBytes` says instead of the truth. */
  free: number | undefined

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** From now on every `call` fails with `error`; undefined heals it. */
  fail(call: DiskCall, error: Error | undefined): void {
    if (error === undefined) this.#faults.delete(call)
    else this.#faults.set(call, error)
  }

  #check(call: DiskCall): void {
    const fault = this.#faults.get(call)
    if (fault !== undefined) throw fault
  }

  async create(path: string, options?: CreateOptions): Promise<DiskFile> {
    this.#check('create')
    return this.#wrap(await this.#disk.create(path, options))
  }

  async open(path: string): Promise<DiskFile> {
    this.#check('open')
    return this.#wrap(await this.#disk.open(path))
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      write: async (data, offset) => {
        this.#check('write')
        await file.write(data, offset)
      },
      read: async (target, offset) => {
        this.#check('read')
        return file.read(target, offset)
      },
      length: () => file.length(),
      sync: async () => {
        this.#check('sync')
        await file.sync()
      },
      close: async () => {
        await file.close()
        this.#check('close')
      },
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check('rename')
    await this.#disk.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    this.#check('remove')
    await this.#disk.remove(path)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#disk.makeDirectory(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#check('syncDirectory')
    await this.#disk.syncDirectory(path)
  }

  list(path: string): Promise<DiskEntry[]> {
    return this.#disk.list(path)
  }

  async freeBytes(): Promise<number> {
    this.#check('freeBytes')
    return this.free ?? (await this.#disk.freeBytes())
  }
}
