/**
 * What is backed up, as a port. Paths are absolute, as bytes, `/` between their parts, any other byte but NUL in names.
 *
 * Contract:
 * - Nothing is ever followed but the parents of a path: a symbolic link is an entry of its own.
 * - Failures are `TwofoldError`s: `not-found` for ENOENT and ENOTDIR (it vanished) and nothing else; `io` for
 *   everything else, with the system's error as the cause and its words in the message.
 * - Times are those of the source, in nanoseconds.
 */
export interface SourceTree {
  /** What `path` is. `follow` looks through a symbolic link at the end of the path. */
  stat(path: Uint8Array, options?: { follow?: boolean }): Promise<SourceStat>
  /** The directory's entries, sorted by the bytes of their names. Entries that vanish meanwhile are left out. */
  list(path: Uint8Array): Promise<SourceListing>
  /** Listing need no longer be fast: gives back the memory that threads for it take. It goes on without them. */
  giveBackThreads?(): Promise<void>
  /** Where a symbolic link points. */
  readLink(path: Uint8Array): Promise<Uint8Array>
  /**
   * Reads a whole small file into `target`, at most `target.length` bytes, and says what it was before and after.
   * A result with `length === target.length` may be incomplete.
   */
  readSmall(path: Uint8Array, target: Uint8Array): Promise<SmallRead>
  /** Opens a regular file. @throws `io` when it is something else by now. */
  open(path: Uint8Array): Promise<SourceFile>
  /** Name of a user or group; empty when the source knows none. */
  userName(uid: number): string
  groupName(gid: number): string
}

export type SourceType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block-device' | 'character-device'

export interface SourceStat {
  readonly type: SourceType
  /** Permission bits with set-uid, set-gid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Length in bytes (files); of the target (symlinks). */
  readonly size: number
  /** Bytes that the file takes on the source: fewer than `size` for a sparse file. */
  readonly allocatedBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly device: bigint
  readonly links: number
}

export interface SourceEntry extends SourceStat {
  readonly name: Uint8Array
}

export interface SourceListing {
  readonly entries: readonly SourceEntry[]
  /** Names that are there but whose status could not be read. */
  readonly problems: readonly { readonly name: Uint8Array; readonly message: string }[]
}

export interface SmallRead {
  readonly length: number
  readonly before: SourceStat
  readonly after: SourceStat
}

export interface SourceFile {
  /** What the open file is now. */
  stat(): Promise<SourceStat>
  /** Reads up to `target.length` bytes at `offset`, and says how many; 0 only at the end. */
  read(target: Uint8Array, offset: number): Promise<number>
  close(): Promise<void>
}

const slash = Buffer.from('/')

/** `directory` + `/` + `name`, as bytes. */
export function joinPath(directory: Uint8Array, name: Uint8Array): Buffer {
  return directory.length === 1 ? Buffer.concat([slash, name]) : Buffer.concat([directory, slash, name])
}
