import * as fs from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { parseAccountNames } from './account-names.ts'
import { loadFileStatus, toStat } from './file-status.ts'
import type { FileStatus } from './file-status.ts'
import { directoryFlags, withReachablePath } from './long-path.ts'
import { ListingPacker, PackedListing } from './packed-listing.ts'
import type { SmallRead, SourceFile, SourceStat, SourceTree } from './source-tree.ts'
import { joinPath } from './source-tree.ts'

/** Entries between two turns for other work: about two milliseconds. */
const entriesPerTurn = 256
/** Of so few entries the status is asked for by their paths: to open their directory would cost more. */
const fewEntries = 3
const openFlags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK

/**
 * The file systems of this machine. Listing and small reads are synchronous, in bounded batches: a promise for each
 * system call would cost four times the time of the call itself.
 */
export class SourceDisk implements SourceTree {
  readonly #clock: Pick<Clock, 'yield'>
  #users: Map<number, string> | undefined
  #groups: Map<number, string> | undefined
  #sinceTurn = 0

  constructor(clock: Pick<Clock, 'yield'>) {
    this.#clock = clock
  }

  async stat(path: Uint8Array, options: { follow?: boolean } = {}): Promise<SourceStat> {
    await this.#turn(1)
    return attempt(path, (reachable) =>
      toStat(options.follow === true ? fs.statSync(reachable, bigint) : fs.lstatSync(reachable, bigint)),
    )
  }

  async list(path: Uint8Array): Promise<PackedListing> {
    // One character for each byte: such strings are made, sorted and copied faster than buffers of their bytes.
    const names = attempt(path, (reachable) => fs.readdirSync(reachable, { encoding: 'latin1' })).sort()
    const packer = new ListingPacker(
      names.length,
      names.reduce((sum, name) => sum + name.length, 0),
    )
    const problems: { name: Uint8Array; message: string }[] = []
    const status = names.length > fewEntries ? await loadFileStatus() : undefined
    const directory = status === undefined ? -1 : attempt(path, (reachable) => fs.openSync(reachable, directoryFlags))
    try {
      for (const name of names) {
        if (this.#isTurn(1)) await this.#clock.yield()
        if (status?.ofEntry(directory, name) === true) packer.add(name, status)
        else this.#addByPath(packer, { path, name }, problems)
      }
    } finally {
      if (status !== undefined) fs.closeSync(directory)
    }
    return new PackedListing(packer.finish(problems))
  }

  #addByPath(
    packer: ListingPacker,
    { path, name }: { path: Uint8Array; name: string },
    problems: { name: Uint8Array; message: string }[],
  ): void {
    const bytes = Buffer.from(name, 'latin1')
    try {
      packer.add(
        bytes,
        attempt(joinPath(path, bytes), (reachable) => toStat(fs.lstatSync(reachable, bigint))),
      )
    } catch (error) {
      if (!(error instanceof TwofoldError)) throw error
      if (error.code !== 'not-found') problems.push({ name: bytes, message: error.message })
    }
  }

  async readLink(path: Uint8Array): Promise<Uint8Array> {
    return attempt(path, (reachable) => fs.readlinkSync(reachable, { encoding: 'buffer' }))
  }

  async readSmall(path: Uint8Array, target: Uint8Array): Promise<SmallRead> {
    await this.#turn(4)
    const status = await loadFileStatus()
    return attempt(path, (reachable) => {
      const descriptor = fs.openSync(reachable, openFlags)
      try {
        const before = regular(statusOf(descriptor, status))
        let length = 0
        while (length < target.length) {
          const read = fs.readSync(descriptor, target, length, target.length - length, length)
          if (read === 0) break
          length += read
        }
        return { length, before, after: statusOf(descriptor, status) }
      } finally {
        fs.closeSync(descriptor)
      }
    })
  }

  async open(path: Uint8Array): Promise<SourceFile> {
    try {
      const handle = await withReachablePath(path, (reachable) => open(reachable, openFlags))
      return await opened(handle)
    } catch (error) {
      throw toSourceError(error)
    }
  }

  userName(uid: number): string {
    this.#users ??= readAccounts('/etc/passwd')
    return this.#users.get(uid) ?? ''
  }

  groupName(gid: number): string {
    this.#groups ??= readAccounts('/etc/group')
    return this.#groups.get(gid) ?? ''
  }

  async #turn(weight: number): Promise<void> {
    if (this.#isTurn(weight)) await this.#clock.yield()
  }

  #isTurn(weight: number): boolean {
    this.#sinceTurn += weight
    if (this.#sinceTurn < entriesPerTurn) return false
    this.#sinceTurn = 0
    return true
  }
}

const bigint = { bigint: true } as const

function statusOf(descriptor: number, status: FileStatus | undefined): SourceStat {
  return status?.ofOpen(descriptor) === true ? status.copy() : toStat(fs.fstatSync(descriptor, bigint))
}

function attempt<T>(path: Uint8Array, work: (reachable: Buffer) => T): T {
  try {
    return withReachablePath(path, work)
  } catch (error) {
    throw toSourceError(error)
  }
}

async function opened(handle: FileHandle): Promise<SourceFile> {
  const file: SourceFile = {
    stat: async () => {
      try {
        return toStat(await handle.stat(bigint))
      } catch (error) {
        throw toSourceError(error)
      }
    },
    read: async (target, offset) => {
      try {
        return (await handle.read(target, 0, target.length, offset)).bytesRead
      } catch (error) {
        throw toSourceError(error)
      }
    },
    close: () => handle.close(),
  }
  try {
    regular(await file.stat())
  } catch (error) {
    await handle.close()
    throw error
  }
  return file
}

function regular(stat: SourceStat): SourceStat {
  if (stat.type !== 'file') throw new TwofoldError('io', 'it is no longer a regular file')
  return stat
}

function readAccounts(file: string): Map<number, string> {
  try {
    return parseAccountNames(fs.readFileSync(file, 'utf8'))
  } catch (error) {
    // A system without the file has no names to save; the numbers are saved in any case.
    if ((error as NodeJS.ErrnoException).code !== undefined) return new Map()
    throw error
  }
}

/** `not-found` for what vanished, `io` for any other failure of the system; what is no system error stays as it is. */
function toSourceError(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (error instanceof TwofoldError || !(error instanceof Error) || code === undefined) return error
  if (code === 'ENOENT' || code === 'ENOTDIR') return new TwofoldError('not-found', 'it vanished', { cause: error })
  if (code === 'ELOOP') return new TwofoldError('io', 'it is no longer a regular file', { cause: error })
  const words = /^[A-Z0-9]+: (.*?),/.exec(error.message)?.[1] ?? error.message
  return new TwofoldError('io', `${words} (${code})`, { cause: error })
}
