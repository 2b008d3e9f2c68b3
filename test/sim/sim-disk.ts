import type { Disk, DiskEntry, DiskFile } from '../../src/core/disk.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import type { Random } from '../../src/core/random.ts'

/** A file's content: what programs see, and what a loss of power leaves. Neither is a part of Node's buffer pool. */
interface Inode {
  seen: Buffer
  durable: Buffer
  /** A sync failed: what it was to write is written by no later one, although programs still see it. */
  dropped?: boolean
}

interface Opening {
  readonly writable: boolean
  readonly before: SimDiskOptions['before']
}

/** A change of names that is not durable yet. */
type Change =
  | { readonly kind: 'create'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: 'remove'; readonly path: string }

export interface SimDiskOptions {
  readonly random: Random
  readonly capacityBytes: number
  /** Called before every operation with its name and path; gives latency, records, or throws a fault. */
  readonly before: (operation: string, path: string) => Promise<void>
}

/**
 * A disk with two layers. What was written is seen at once, but survives a crash only after `sync`; a new, changed or
 * removed name only after `syncDirectory`. The disk outlives the processes that use it.
 */
export class SimDisk implements Disk {
  readonly #options: SimDiskOptions
  readonly #directories = new Set([''])
  #seen = new Map<string, Inode>()
  readonly #durable = new Map<string, Inode>()
  #changes: Change[] = []
  #version = 0
  #before: SimDiskOptions['before']

  constructor(options: SimDiskOptions) {
    this.#options = options
    this.#before = options.before
  }

  /** The same disk for another process, whose operations are announced to `before` instead. */
  view(before: SimDiskOptions['before']): Disk {
    // Whoever is called looks at it once, before anything else gets its turn.
    const as = <T>(work: () => T): T => {
      const own = this.#before
      this.#before = before
      try {
        return work()
      } finally {
        this.#before = own
      }
    }
    return {
      create: (path) => as(() => this.create(path)),
      open: (path) => as(() => this.open(path)),
      rename: (from, to) => as(() => this.rename(from, to)),
      remove: (path) => as(() => this.remove(path)),
      makeDirectory: (path) => as(() => this.makeDirectory(path)),
      syncDirectory: (path) => as(() => this.syncDirectory(path)),
      list: (path) => as(() => this.list(path)),
      freeBytes: () => this.freeBytes(),
    }
  }

  /** Another one whenever a name came or went. */
  get version(): number {
    return this.#version
  }

  /** Power is lost: of unsynced bytes a random part survives, of unsynced names some of the oldest changes. */
  crash(): void {
    const { random } = this.#options
    this.#version += 1
    const survivors = Math.floor(random.fraction() * (this.#changes.length + 1))
    for (const change of this.#changes.slice(0, survivors)) this.#apply(change)
    this.#changes = []
    this.#seen = new Map(this.#durable)
    for (const inode of this.#seen.values()) {
      delete inode.dropped
      if (inode.seen === inode.durable) continue
      const kept = Math.floor(random.fraction() * (inode.seen.length + 1))
      const torn = Buffer.alloc(Math.max(kept, inode.durable.length))
      torn.set(inode.durable)
      torn.set(inode.seen.subarray(0, kept))
      inode.seen = inode.durable = torn
    }
  }

  /** What is on it now, to be put back by `restore`: what an image or a snapshot of the disk keeps. */
  image(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#seen].map(([path, inode]) => [path, apart(inode.seen)]))
  }

  /** What a loss of power would leave at the least. It shares memory with the disk, which never changes such bytes. */
  durableImage(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#durable].map(([path, inode]) => [path, inode.durable]))
  }

  /** An older image, or an empty disk, takes the place of what is there. No process may have the disk open. */
  restore(image: ReadonlyMap<string, Uint8Array>): void {
    this.#version += 1
    this.#changes = []
    this.#durable.clear()
    this.#directories.clear()
    this.#directories.add('')
    for (const [path, content] of image) {
      const bytes = apart(content)
      this.#durable.set(path, { seen: bytes, durable: bytes })
      for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) this.#directories.add(parent)
    }
    this.#seen = new Map(this.#durable)
  }

  /** What a bad disk does to a file: its bytes change, and nobody is told. */
  damage(path: string, change: (bytes: Buffer) => Buffer): void {
    const inode = this.#find(path)
    inode.seen = inode.durable = apart(change(apart(inode.seen)))
  }

  /** What a bad disk does to a name: the file is not there any more. */
  lose(path: string): void {
    this.#find(path)
    this.#version += 1
    this.#seen.delete(path)
    this.#durable.delete(path)
  }

  /** The bytes of a file, as programs see them or as they would be after a loss of power; undefined for none. */
  content(path: string, layer: 'seen' | 'durable'): Uint8Array | undefined {
    return layer === 'seen' ? this.#seen.get(path)?.seen : this.#durable.get(path)?.durable
  }

  /** The paths of all files, as programs see them. */
  files(): string[] {
    return [...this.#seen.keys()].toSorted()
  }

  #apply(change: Change): void {
    if (change.kind === 'remove') {
      this.#durable.delete(change.path)
    } else if (change.kind === 'create') {
      this.#durable.set(change.path, change.inode)
    } else {
      this.#durable.delete(change.from)
      this.#durable.set(change.to, change.inode)
    }
  }

  #find(path: string): Inode {
    const inode = this.#seen.get(checked(path))
    if (inode === undefined) throw new TwofoldError('not-found', `there is no ${path}`)
    return inode
  }

  #requireDirectory(path: string): void {
    if (this.#directories.has(path)) return
    const code = this.#seen.has(path) ? 'io' : 'not-found'
    throw new TwofoldError(code, `there is no directory ${path}`)
  }

  async create(path: string): Promise<DiskFile> {
    const before = this.#before
    await before('create', path)
    this.#requireDirectory(parentOf(checked(path)))
    if (this.#seen.has(path) || this.#directories.has(path)) {
      throw new TwofoldError('already-exists', `${path} exists already`)
    }
    const empty = Buffer.alloc(0)
    const inode = { seen: empty, durable: empty }
    this.#version += 1
    this.#seen.set(path, inode)
    this.#changes.push({ kind: 'create', path, inode })
    return this.#file(path, inode, { writable: true, before })
  }

  async open(path: string): Promise<DiskFile> {
    const before = this.#before
    await before('open', path)
    if (this.#directories.has(checked(path))) throw new TwofoldError('io', `${path} is a directory`)
    return this.#file(path, this.#find(path), { writable: false, before })
  }

  #file(path: string, inode: Inode, { writable, before }: Opening): DiskFile {
    let open = true
    const require = (allowed = true): void => {
      if (!open || !allowed) throw new TwofoldError('io', `${path} is not open for this`)
    }
    return {
      write: async (data, offset) => {
        require(writable)
        await before('write', path)
        require(writable)
        this.#requireRoom(Math.max(0, offset + data.length - inode.seen.length))
        write(inode, data, offset)
      },
      read: async (target, offset) => {
        require()
        await before('read', path)
        return inode.seen.subarray(offset).copy(target)
      },
      length: () => {
        require()
        return Promise.resolve(inode.seen.length)
      },
      sync: async () => {
        require()
        try {
          await before('sync', path)
        } catch (error) {
          inode.dropped = true
          throw error
        }
        if (inode.dropped !== true) inode.durable = inode.seen
      },
      close: () => {
        require()
        open = false
        return Promise.resolve()
      },
    }
  }

  #requireRoom(bytes: number): void {
    if (bytes > this.#free()) throw new TwofoldError('no-room', 'no space left on the simulated disk')
  }

  #free(): number {
    let used = 0
    for (const inode of this.#seen.values()) used += inode.seen.length
    return this.#options.capacityBytes - used
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#before('rename', `${from} ${to}`)
    const inode = this.#find(from)
    this.#requireDirectory(parentOf(checked(to)))
    if (this.#directories.has(to)) throw new TwofoldError('io', `${to} is a directory`)
    if (from === to) return
    this.#version += 1
    this.#seen.delete(from)
    this.#seen.set(to, inode)
    this.#changes.push({ kind: 'rename', from, to, inode })
  }

  async remove(path: string): Promise<void> {
    await this.#before('remove', path)
    if (this.#directories.has(checked(path))) throw new TwofoldError('io', `${path} is a directory`)
    this.#find(path)
    this.#version += 1
    this.#seen.delete(path)
    this.#changes.push({ kind: 'remove', path })
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#before('makeDirectory', path)
    let parent = ''
    for (const part of checked(path).split('/')) {
      const child = parent === '' ? part : `${parent}/${part}`
      if (this.#seen.has(child)) throw new TwofoldError('io', `${child} is not a directory`)
      this.#directories.add(child)
      parent = child
    }
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#before('syncDirectory', path)
    this.#requireDirectory(checked(path))
    const waiting: Change[] = []
    for (const change of this.#changes) {
      const touched = change.kind === 'rename' ? [change.from, change.to] : [change.path]
      if (touched.some((name) => parentOf(name) === path)) this.#apply(change)
      else waiting.push(change)
    }
    this.#changes = waiting
  }

  async list(path: string): Promise<DiskEntry[]> {
    await this.#before('list', path)
    this.#requireDirectory(checked(path))
    const entries: DiskEntry[] = []
    for (const name of this.#directories) {
      if (name !== '' && parentOf(name) === path) entries.push({ name: baseOf(name), directory: true, length: 0 })
    }
    for (const [name, inode] of this.#seen) {
      if (parentOf(name) !== path) continue
      entries.push({ name: baseOf(name), directory: false, length: inode.seen.length })
    }
    return entries
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.#free())
  }
}

/** A copy in memory of its own. */
function apart(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

/** What was written after the last sync grows in place; what is durable, or may be, is never overwritten. */
function write(inode: Inode, data: Uint8Array, offset: number): void {
  const { seen, durable } = inode
  const length = Math.max(seen.length, offset + data.length)
  const shared = durable.buffer === seen.buffer && offset < durable.length
  if (shared || length > seen.buffer.byteLength) {
    const room = Buffer.from(new ArrayBuffer(length * 2))
    room.set(seen)
    inode.seen = room.subarray(0, length)
  } else {
    inode.seen = Buffer.from(seen.buffer, 0, length)
  }
  inode.seen.set(data, offset)
}

function checked(path: string): string {
  const bad = path.includes('\0') || path.split('/').some((part) => part === '..' || part === '.' || part === '')
  if (path !== '' && bad) throw new TwofoldError('invalid-argument', `${path} is not a path inside the store`)
  return path
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
