import { constants } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { nameBytesMax } from '../core/limits.ts'
import { loadForeignFunctions, noFollow } from './foreign-functions.ts'
import type { ForeignFunctions } from './foreign-functions.ts'
import type { SourceStat, SourceType } from './source-tree.ts'

/** Linux's `struct statx`, in words of 32 bits; a time is a pair of seconds with nanoseconds behind it. */
const word = {
  links: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  inode: 8,
  size: 10,
  blocks: 12,
  ctime: 24,
  mtime: 28,
  deviceMajor: 34,
  deviceMinor: 35,
} as const
const wordsOfStatus = 64

const basicFields = 0x7ff
const noAutomount = 0x800
const emptyPath = 0x1000
const nanosPerSecond = 1_000_000_000n

/**
 * The status that was asked for last, in the memory into which the system wrote it. Node's own functions make an object
 * of eighteen big integers for each call: that costs as much as the system call (docs/performance.md).
 */
export class FileStatus implements SourceStat {
  readonly #words = new Uint32Array(wordsOfStatus)
  readonly #pairs = new BigInt64Array(this.#words.buffer)
  readonly #name = Buffer.alloc(nameBytesMax + 1)
  readonly #noName = Buffer.alloc(1)
  readonly #statx: (...args: unknown[]) => number

  constructor(foreign: ForeignFunctions) {
    const prototype = 'int statx(int directory, const uint8_t *path, int flags, unsigned int mask, uint32_t *status)'
    this.#statx = foreign.load(null).func(prototype)
  }

  /**
   * Asks for an entry of an open directory.
   * @param name its bytes, as latin1
   * @returns false when the system refuses: Node's functions say why
   */
  ofEntry(directory: number, name: string): boolean {
    if (name.length > nameBytesMax) return false
    this.#name.write(name, 'latin1')
    this.#name[name.length] = 0
    return this.#statx(directory, this.#name, noFollow | noAutomount, basicFields, this.#words) === 0
  }

  /** Asks for an open file. @returns false when the system refuses */
  ofOpen(descriptor: number): boolean {
    return this.#statx(descriptor, this.#noName, emptyPath, basicFields, this.#words) === 0
  }

  get type(): SourceType {
    return typeOf(this.#at(word.mode))
  }

  get mode(): number {
    return this.#at(word.mode) & 0o7777
  }

  get uid(): number {
    return this.#at(word.uid)
  }

  get gid(): number {
    return this.#at(word.gid)
  }

  get size(): number {
    return this.#number(word.size)
  }

  get allocatedBytes(): number {
    return this.#number(word.blocks) * 512
  }

  get mtimeNs(): bigint {
    return this.#time(word.mtime)
  }

  get ctimeNs(): bigint {
    return this.#time(word.ctime)
  }

  get inode(): bigint {
    return BigInt.asUintN(64, this.#pairs[word.inode / 2] as bigint)
  }

  /** As `stat` gives it: twelve bits of the major number above eight of the minor, what they lack above those. */
  get device(): bigint {
    const major = this.#at(word.deviceMajor)
    const minor = this.#at(word.deviceMinor)
    const low = ((major & 0xfff) << 8) | (minor & 0xff)
    return (BigInt(major >>> 12) << 44n) | (BigInt(minor >>> 8) << 20n) | BigInt(low)
  }

  get links(): number {
    return this.#at(word.links)
  }

  /** What later calls leave as it is. */
  copy(): SourceStat {
    const { type, mode, uid, gid, size, allocatedBytes, mtimeNs, ctimeNs, inode, device, links } = this
    return { type, mode, uid, gid, size, allocatedBytes, mtimeNs, ctimeNs, inode, device, links }
  }

  #at(which: number): number {
    return this.#words[which] as number
  }

  #number(which: number): number {
    return this.#at(which) + this.#at(which + 1) * 2 ** 32
  }

  #time(which: number): bigint {
    return (this.#pairs[which / 2] as bigint) * nanosPerSecond + BigInt(this.#at(which + 2))
  }
}

export function toStat(stats: BigIntStats): SourceStat {
  return {
    type: typeOf(Number(stats.mode)),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    allocatedBytes: Number(stats.blocks) * 512,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    device: stats.dev,
    links: Number(stats.nlink),
  }
}

function typeOf(mode: number): SourceType {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return 'file'
    case constants.S_IFDIR:
      return 'directory'
    case constants.S_IFLNK:
      return 'symlink'
    case constants.S_IFIFO:
      return 'fifo'
    case constants.S_IFBLK:
      return 'block-device'
    case constants.S_IFCHR:
      return 'character-device'
    default:
      return 'socket'
  }
}

let loading: Promise<FileStatus | undefined> | undefined

/** Undefined where this installation cannot have it; loaded once for each thread. */
export function loadFileStatus(): Promise<FileStatus | undefined> {
  return (loading ??= load())
}

async function load(): Promise<FileStatus | undefined> {
  const foreign = await loadForeignFunctions()
  return foreign === undefined ? undefined : new FileStatus(foreign)
}
