/** A file system in memory as a source of backups. It can be changed at any time; `onRead` runs before every read. */
import { TwofoldError } from '../../src/core/errors.ts'
import { asBuffer } from '../../src/core/ids.ts'
import type {
  SmallRead,
  SourceEntry,
  SourceFile,
  SourceListing,
  SourceStat,
  SourceTree,
  SourceType,
} from '../../src/client/source-tree.ts'

export interface MemoryNode {
  type: SourceType
  mode: number
  uid: number
  gid: number
  mtimeNs: bigint
  ctimeNs: bigint
  inode: bigint
  device: bigint
  links: number
  content: Uint8Array
  /** Bytes said to be allocated; the content's length unless set. */
  allocatedBytes?: number
  target: Uint8Array
  children: Map<string, MemoryNode>
  /** Makes reading or listing fail like an unreadable disk. */
  unreadable: boolean
}

type Path = string | Uint8Array

export class MemorySource implements SourceTree {
  readonly root: MemoryNode
  /** Paths (latin1) of the files that were read, in order. */
  readonly reads: string[] = []
  onRead: ((path: string) => void) | undefined
  /** What every listing and every file that is opened waits for. */
  delay: (() => Promise<void>) | undefined
  #inode = 1n
  #timeNs = 1_600_000_000_000_000_000n

  constructor() {
    this.root = this.#make('directory', 0o755)
  }

  #make(type: SourceType, mode: number): MemoryNode {
    this.#timeNs += 1_000_000_001n
    return {
      type,
      mode,
      uid: 1000,
      gid: 1000,
      mtimeNs: this.#timeNs,
      ctimeNs: this.#timeNs,
      inode: this.#inode++,
      device: 1n,
      links: type === 'directory' ? 2 : 1,
      content: new Uint8Array(0),
      target: new Uint8Array(0),
      children: new Map(),
      unreadable: false,
    }
  }

  /** Creates a directory and its parents, or finds it. */
  directory(path: Path): MemoryNode {
    let node = this.root
    for (const part of parts(path)) {
      let next = node.children.get(part)
      if (next === undefined) node.children.set(part, (next = this.#make('directory', 0o755)))
      node = next
    }
    return node
  }

  /** Creates a file or replaces its content, with new times. */
  file(path: Path, content: string | Uint8Array): MemoryNode {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const { parent, name } = this.#place(path)
    const known = parent.children.get(name)
    const node = known?.type === 'file' ? known : this.#make('file', 0o644)
    node.content = bytes
    this.touch(node)
    parent.children.set(name, node)
    return node
  }

  symlink(path: Path, target: Path): MemoryNode {
    const node = this.special(path, 'symlink')
    node.mode = 0o777
    node.target = asBuffer(typeof target === 'string' ? Buffer.from(target) : target)
    return node
  }

  special(path: Path, type: SourceType): MemoryNode {
    const { parent, name } = this.#place(path)
    const node = this.#make(type, 0o644)
    parent.children.set(name, node)
    return node
  }

  link(existing: Path, path: Path): void {
    const node = this.node(existing)
    const { parent, name } = this.#place(path)
    parent.children.set(name, node)
    node.links += 1
  }

  remove(path: Path): void {
    const { parent, name } = this.#place(path)
    parent.children.delete(name)
  }

  touch(node: MemoryNode): void {
    this.#timeNs += 1_000_000_001n
    node.mtimeNs = node.ctimeNs = this.#timeNs
  }

  node(path: Path): MemoryNode {
    let node = this.root
    for (const part of parts(path)) {
      const next = node.children.get(part)
      if (next === undefined) throw new TwofoldError('not-found', 'it vanished')
      node = next
    }
    return node
  }

  #place(path: Path): { parent: MemoryNode; name: string } {
    const all = parts(path)
    const name = all.pop()
    if (name === undefined) throw new Error('the root has no place')
    return { parent: this.directory(Buffer.from(`/${all.join('/')}`, 'latin1')), name }
  }

  async stat(path: Uint8Array, options: { follow?: boolean } = {}): Promise<SourceStat> {
    const node = this.node(path)
    return statOf(options.follow === true && node.type === 'symlink' ? this.node(node.target) : node)
  }

  async list(path: Uint8Array): Promise<SourceListing> {
    await this.delay?.()
    const node = this.node(path)
    if (node.type !== 'directory') throw new TwofoldError('not-found', 'it vanished')
    if (node.unreadable) throw new TwofoldError('io', 'permission denied (EACCES)')
    const entries = [...node.children].map(([name, child]): SourceEntry => {
      return { name: Buffer.from(name, 'latin1'), ...statOf(child) }
    })
    entries.sort((a, b) => Buffer.compare(a.name, b.name))
    return { entries, problems: [] }
  }

  async readLink(path: Uint8Array): Promise<Uint8Array> {
    const node = this.node(path)
    if (node.type !== 'symlink') throw new TwofoldError('io', 'invalid argument (EINVAL)')
    return node.target
  }

  async readSmall(path: Uint8Array, target: Uint8Array): Promise<SmallRead> {
    const file = await this.open(path)
    const before = await file.stat()
    const length = await file.read(target, 0)
    return { length, before, after: await file.stat() }
  }

  async open(path: Uint8Array): Promise<SourceFile> {
    await this.delay?.()
    const name = asBuffer(path).toString('latin1')
    const node = this.node(path)
    if (node.unreadable) throw new TwofoldError('io', 'permission denied (EACCES)')
    if (node.type !== 'file') throw new TwofoldError('io', 'it is no longer a regular file')
    this.reads.push(name)
    return {
      stat: async () => statOf(node),
      read: async (target, offset) => {
        this.onRead?.(name)
        const part = node.content.subarray(offset, offset + target.length)
        target.set(part)
        return part.length
      },
      close: async () => undefined,
    }
  }

  userName(uid: number): string {
    return uid === 1000 ? 'somebody' : ''
  }

  groupName(gid: number): string {
    return gid === 1000 ? 'people' : ''
  }
}

function parts(path: Path): string[] {
  const bytes = typeof path === 'string' ? Buffer.from(path) : asBuffer(path)
  return bytes
    .toString('latin1')
    .split('/')
    .filter((part) => part !== '')
}

function statOf(node: MemoryNode): SourceStat {
  const { type, mode, uid, gid, mtimeNs, ctimeNs, inode, device, links } = node
  const size = type === 'symlink' ? node.target.length : node.content.length
  const allocatedBytes = node.allocatedBytes ?? size
  return { type, mode, uid, gid, size, allocatedBytes, mtimeNs, ctimeNs, inode, device, links }
}
