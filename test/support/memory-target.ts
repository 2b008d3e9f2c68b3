import { toTwofoldError, TwofoldError } from '../../src/core/errors.ts'
import { asBuffer } from '../../src/core/ids.ts'
import type {
  RestoredThing,
  RestoreTarget,
  TargetFile,
  TargetMetadata,
  TargetPath,
  TargetStat,
  WholeFile,
} from '../../src/client/restore-target.ts'
import { checkTargetPath } from '../../src/client/target-name.ts'

export interface MemoryEntry {
  type: 'file' | 'directory' | 'symlink'
  content: Buffer
  target: Buffer
  mode: number
  uid: number
  gid: number
  mtimeNs: bigint
  /** Grows with every change of anything. */
  ctimeNs: bigint
  readonly inode: number
}

/** A place in memory to restore to. Files that are being written are not among `entries`. */
export class MemoryTarget implements RestoreTarget {
  /** By path, one UTF-16 unit per byte, `''` for the root. Two names of one file share their entry. */
  readonly entries = new Map<string, MemoryEntry>()
  /** Files that are neither committed nor discarded. */
  unfinished = 0
  closed = false
  /** Called before every change; throwing makes it fail. */
  onChange: ((call: string, path: string) => void) | undefined
  /** Bytes that may still be written. */
  roomBytes = Infinity
  #inode = 1
  #timeNs = 1n
  /** When a restore began that is not finished, by what it restores. */
  readonly marks = new Map<string, bigint>()

  async prepare(): Promise<void> {
    this.onChange?.('prepare', '')
    this.#ensureRoot()
  }

  async begin({ snapshotId, path, overwrite }: RestoredThing): Promise<bigint | undefined> {
    const what = `${overwrite}:${snapshotId}:${Buffer.from(path).toString('latin1')}`
    const sinceNs = this.marks.get(what)
    if (sinceNs === undefined) this.marks.clear()
    this.marks.set(what, sinceNs ?? this.#timeNs++)
    return sinceNs
  }

  async finish(): Promise<void> {
    this.marks.clear()
  }

  async stat(path: TargetPath): Promise<TargetStat | undefined> {
    const entry = this.entries.get(this.#key(path))
    if (entry === undefined) return undefined
    const size = entry.type === 'symlink' ? entry.target.length : entry.content.length
    const { type, mtimeNs, ctimeNs } = entry
    return { type, size, mtimeNs, ctimeNs, identity: `1:${entry.inode}` }
  }

  async makeDirectory(path: TargetPath, options: { replace: boolean }): Promise<boolean> {
    this.onChange?.('makeDirectory', this.#key(path))
    this.#ensureRoot()
    let made = false
    for (let depth = 1; depth <= path.length; depth++) {
      const key = this.#key(path.slice(0, depth))
      const existing = this.entries.get(key)
      made = existing?.type !== 'directory'
      if (!made) continue
      if (existing !== undefined && !options.replace) {
        throw new TwofoldError('already-exists', 'something that is no directory has the name')
      }
      this.entries.set(key, this.#make('directory'))
    }
    return made
  }

  async setDirectoryMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void> {
    this.onChange?.('setDirectoryMetadata', this.#key(path))
    this.#setMetadata(this.#existing(path, 'directory'), metadata)
  }

  async createFile(path: TargetPath, length: number): Promise<TargetFile> {
    const key = this.#key(path)
    this.onChange?.('createFile', key)
    this.#existing(path.slice(0, -1), 'directory')
    const entry = this.#make('file')
    entry.content = Buffer.alloc(length)
    this.unfinished += 1
    let open = true
    const end = (): void => {
      if (open) this.unfinished -= 1
      open = false
    }
    return {
      write: async (data, offset) => {
        this.onChange?.('write', key)
        this.roomBytes -= data.length
        if (this.roomBytes < 0) throw new TwofoldError('no-room', 'no space is left on the target (ENOSPC)')
        if (offset + data.length > entry.content.length) {
          entry.content = Buffer.concat([entry.content], offset + data.length)
        }
        entry.content.set(data, offset)
      },
      commit: async (metadata) => {
        end()
        this.onChange?.('commit', key)
        this.#setMetadata(entry, metadata)
        this.#put(path, entry)
      },
      discard: async () => end(),
    }
  }

  async writeFiles(content: Uint8Array, files: readonly WholeFile[]): Promise<readonly (TwofoldError | undefined)[]> {
    const errors: (TwofoldError | undefined)[] = []
    for (const { path, offset, length, metadata } of files) {
      let file: TargetFile | undefined
      try {
        file = await this.createFile(path, length)
        await file.write(content.subarray(offset, offset + length), 0)
        await file.commit(metadata)
        errors.push(undefined)
      } catch (error) {
        await file?.discard()
        errors.push(toTwofoldError(error))
      }
    }
    return errors
  }

  async list(path: TargetPath): Promise<readonly Uint8Array[]> {
    this.#existing(path, 'directory')
    const prefix = path.length === 0 ? '' : `${this.#key(path)}/`
    const below = [...this.entries.keys()].filter((key) => key !== '' && key.startsWith(prefix))
    const names = below.map((key) => key.slice(prefix.length)).filter((name) => !name.includes('/'))
    return names.map((name) => Buffer.from(name, 'latin1'))
  }

  async remove(path: TargetPath): Promise<void> {
    const key = this.#key(path)
    this.onChange?.('remove', key)
    if ([...this.entries.keys()].some((other) => other.startsWith(`${key}/`))) {
      throw new TwofoldError('failed-precondition', 'a directory that is not empty has the name')
    }
    this.entries.delete(key)
  }

  async setFileMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void> {
    this.onChange?.('setFileMetadata', this.#key(path))
    this.#setMetadata(this.#existing(path, 'file'), metadata)
  }

  async makeSymlink(path: TargetPath, target: Uint8Array, metadata: TargetMetadata): Promise<void> {
    this.onChange?.('makeSymlink', this.#key(path))
    const entry = this.#make('symlink')
    this.#setMetadata(entry, { ...metadata, mode: 0o777 })
    entry.target = Buffer.from(target)
    this.#put(path, entry)
  }

  async makeLink(existing: TargetPath, path: TargetPath): Promise<void> {
    checkTargetPath([...existing, ...path])
    this.onChange?.('makeLink', this.#key(path))
    this.#put(path, this.#existing(existing, 'file'))
  }

  async readFile(path: TargetPath, into: Uint8Array, offset: number): Promise<number> {
    const { content } = this.#existing(path, 'file')
    const part = content.subarray(offset, offset + into.length)
    into.set(part)
    return part.length
  }

  async close(): Promise<void> {
    this.closed = true
  }

  /** The entry at a path of UTF-8 names. */
  at(path: string): MemoryEntry | undefined {
    return this.entries.get(Buffer.from(path).toString('latin1'))
  }

  text(path: string): string | undefined {
    return this.at(path)?.content.toString()
  }

  #make(type: MemoryEntry['type']): MemoryEntry {
    const nothing = { content: Buffer.alloc(0), target: Buffer.alloc(0), uid: 0, gid: 0, mtimeNs: 0n }
    return { type, mode: 0o700, inode: this.#inode++, ctimeNs: this.#timeNs++, ...nothing }
  }

  #ensureRoot(): void {
    if (!this.entries.has('')) this.entries.set('', this.#make('directory'))
  }

  #put(path: TargetPath, entry: MemoryEntry): void {
    this.#existing(path.slice(0, -1), 'directory')
    const key = this.#key(path)
    if (this.entries.get(key)?.type === 'directory') {
      throw new TwofoldError('failed-precondition', 'a directory has the name')
    }
    this.entries.set(key, entry)
  }

  #existing(path: TargetPath, type: MemoryEntry['type']): MemoryEntry {
    const entry = this.entries.get(this.#key(path))
    if (entry === undefined) throw new TwofoldError('not-found', 'no such file or directory')
    if (entry.type !== type) throw new TwofoldError('failed-precondition', `it is no ${type}`)
    return entry
  }

  #key(path: TargetPath): string {
    checkTargetPath(path)
    return path.map((name) => asBuffer(name).toString('latin1')).join('/')
  }

  #setMetadata(entry: MemoryEntry, { mode, uid, gid, mtimeNs }: TargetMetadata): void {
    Object.assign(entry, { mode, uid, gid, mtimeNs, ctimeNs: this.#timeNs++ })
  }
}
