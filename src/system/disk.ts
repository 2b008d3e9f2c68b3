import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { CreateOptions, Disk, DiskEntry, DiskFile } from '../core/disk.ts'
import { TwofoldError } from '../core/errors.ts'
import { classified, classify } from './disk-error.ts'
import { DirectFile } from './direct-file.ts'
import { makeDirectory, syncDirectory } from './directories.ts'
import { LongReads, readFully } from './long-reads.ts'
import { StagingMemory } from './staging-memory.ts'

/** Names whose length is asked for at once: enough to keep the thread pool busy. */
const statsAtOnce = 32

/** Shorter slices are not worth a second descriptor. */
const longReadBytes = 256 * 1024

/** A pack store's files are nobody else's business. */
const fileMode = 0o600
const directoryMode = 0o700

class RealFile implements DiskFile {
  readonly #handle: FileHandle
  readonly #path: string
  readonly #longReads: LongReads
  /** The same file around the system's cache. */
  #direct: Promise<FileHandle | undefined> | undefined

  constructor(handle: FileHandle, path: string, longReads: LongReads) {
    this.#handle = handle
    this.#path = path
    this.#longReads = longReads
  }

  write(data: Uint8Array, offset: number): Promise<void> {
    return classified(`write ${this.#path}`, async () => {
      let done = 0
      while (done < data.length) {
        const { bytesWritten } = await this.#handle.write(data, done, data.length - done, offset + done)
        done += bytesWritten
      }
    })
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return classified(`read ${this.#path}`, () => {
      const cached = this.#handle
      if (target.length < longReadBytes) return readFully(cached, target, offset)
      return this.#longReads.read({ name: this.#path, cached, direct: () => this.#openDirect() }, target, offset)
    })
  }

  #openDirect(): Promise<FileHandle | undefined> {
    const path = `/proc/self/fd/${this.#handle.fd}`
    // Whatever the reason is that it cannot be opened so, there is the other way.
    return (this.#direct ??= open(path, constants.O_RDONLY | constants.O_DIRECT).catch(() => undefined))
  }

  length(): Promise<number> {
    return classified(`look at ${this.#path}`, async () => (await this.#handle.stat()).size)
  }

  sync(): Promise<void> {
    return classified(`sync ${this.#path}`, () => this.#handle.sync())
  }

  close(): Promise<void> {
    return classified(`close ${this.#path}`, async () => {
      try {
        await (await this.#direct)?.close()
      } finally {
        await this.#handle.close()
      }
    })
  }
}

class RealDisk implements Disk {
  readonly #root: string
  /** Directories whose own name is known to be durable; saves a sync for each pack. */
  readonly #durable = new Set<string>()
  readonly #staging = new StagingMemory()
  readonly #longReads = new LongReads()

  constructor(root: string) {
    this.#root = root
  }

  #resolve(path: string): string {
    const parts = path.split('/')
    const leaves = parts.some((part) => part === '..' || part === '.' || part === '') || path.includes('\0')
    if (path !== '' && path !== '.' && leaves) {
      throw new TwofoldError('invalid-argument', `"${path.slice(0, 200)}" is not a path inside the store`)
    }
    return join(this.#root, path)
  }

  create(name: string, { inOrder = false }: CreateOptions = {}): Promise<DiskFile> {
    return classified(`create ${name}`, async () => {
      const path = this.#resolve(name)
      const cached = new RealFile(await open(path, 'wx+', fileMode), name, this.#longReads)
      return inOrder ? DirectFile.create({ cached, path, name, staging: this.#staging }) : cached
    })
  }

  open(path: string): Promise<DiskFile> {
    return classified(`open ${path}`, async () => {
      return new RealFile(await open(this.#resolve(path), 'r'), path, this.#longReads)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return classified(`rename ${from} to ${to}`, () => rename(this.#resolve(from), this.#resolve(to)))
  }

  remove(path: string): Promise<void> {
    return classified(`remove ${path}`, () => unlink(this.#resolve(path)))
  }

  makeDirectory(path: string): Promise<void> {
    return classified(`create the directory ${path}`, async () => {
      const target = this.#resolve(path)
      if (target === join(this.#root, '.')) return
      let parent = ''
      for (const part of path.split('/')) {
        const child = parent === '' ? part : `${parent}/${part}`
        await this.#makeOne(parent, child)
        parent = child
      }
    })
  }

  async #makeOne(parent: string, child: string): Promise<void> {
    const path = this.#resolve(child)
    try {
      await mkdir(path, directoryMode)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const found = await lstat(path)
      if (!found.isDirectory()) throw new TwofoldError('io', `${child} is not a directory`, { cause: error })
    }
    // One that was already there may have been made just before a power failure that has not happened yet.
    if (this.#durable.has(child)) return
    await syncDirectory(this.#resolve(parent))
    this.#durable.add(child)
  }

  syncDirectory(path: string): Promise<void> {
    return classified(`sync the directory ${path}`, () => syncDirectory(this.#resolve(path)))
  }

  list(path: string): Promise<DiskEntry[]> {
    return classified(`list ${path}`, async () => {
      const directory = this.#resolve(path)
      const names = await readdir(directory)
      const entries: DiskEntry[] = []
      for (let start = 0; start < names.length; start += statsAtOnce) {
        const some = names.slice(start, start + statsAtOnce)
        const found = await Promise.all(some.map((name) => this.#entry(directory, name)))
        for (const entry of found) if (entry !== undefined) entries.push(entry)
      }
      return entries
    })
  }

  async #entry(directory: string, name: string): Promise<DiskEntry | undefined> {
    try {
      const stat = await lstat(join(directory, name))
      const isDirectory = stat.isDirectory()
      return { name, directory: isDirectory, length: isDirectory ? 0 : stat.size }
    } catch (error) {
      const classifiedError = classify(error, `look at ${name}`)
      // Removed since the directory was read: then it is not in the list.
      if (classifiedError.code === 'not-found') return undefined
      throw classifiedError
    }
  }

  freeBytes(): Promise<number> {
    return classified('ask for the free room', async () => {
      const stat = await statfs(this.#root)
      return stat.bavail * stat.bsize
    })
  }
}

/** The disk below `directory`, which is created when it is missing. */
export async function openDisk(directory: string): Promise<Disk> {
  await makeDirectory(directory)
  return new RealDisk(directory)
}
