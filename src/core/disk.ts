/**
 * The disk of a node, as a port, so that a simulation can lose what was not synced. Paths are relative to the store's
 * directory, with `/` between their parts, and never leave it.
 *
 * Contract:
 * - A written byte is durable only after `DiskFile.sync` resolved.
 * - A created, renamed or removed name is durable only after `syncDirectory` of its directory resolved.
 * - `rename` replaces the target atomically. After a crash either the old or the new name is there.
 * - Failures are `TwofoldError`s: `not-found` for ENOENT and nothing else; `no-room` for ENOSPC and EDQUOT;
 *   `overloaded` for EMFILE, ENFILE and ENOMEM, which say nothing about the disk; `io` for everything else, with the
 *   system's error as the cause. After any failure of `sync` the file's content is unknown: the caller must not try
 *   again on the same file.
 */
export interface Disk {
  /** Creates a file for writing and reading. @throws `already-exists` when the name is taken. */
  create(path: string, options?: CreateOptions): Promise<DiskFile>
  /** Opens a file for reading. */
  open(path: string): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  /** Removes a file. @throws `not-found` */
  remove(path: string): Promise<void>
  /** Creates a directory and its parents; existing ones are fine. They are durable on return. */
  makeDirectory(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** The names in a directory, in no order. @throws `not-found` */
  list(path: string): Promise<DiskEntry[]>
  /** Free room for this user in bytes. */
  freeBytes(): Promise<number>
}

export interface CreateOptions {
  /**
   * The file is long and written from its beginning to its end: it may go around the system's cache. No promise, it can
   * be used like any other. That a write failed may be told by a later call, at the latest by `sync`.
   */
  readonly inOrder?: boolean
}

export interface DiskEntry {
  readonly name: string
  readonly directory: boolean
  /** Length in bytes; 0 for directories. */
  readonly length: number
}

export interface DiskFile {
  /** Writes all of `data` at `offset`. The memory may be reused after it resolved. */
  write(data: Uint8Array, offset: number): Promise<void>
  /** Reads up to `target.length` bytes at `offset` and says how many: fewer only at the end of the file. */
  read(target: Uint8Array, offset: number): Promise<number>
  length(): Promise<number>
  /** Makes content and length durable. */
  sync(): Promise<void>
  close(): Promise<void>
}
