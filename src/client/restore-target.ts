import type { TwofoldError } from '../core/errors.ts'
import type { SnapshotId } from '../core/ids.ts'
import type { OverwriteMode } from './overwrite-mode.ts'

/**
 * Where a snapshot is restored to, as a port. A path is a list of names below the target's root; the empty list is the
 * root itself.
 *
 * Contract:
 * - Nothing outside the root is ever created, changed or read, whatever the names are and whatever anybody does to the
 *   tree meanwhile: a name that is empty, `.`, `..`, longer than 255 bytes or has `/` or NUL in it is refused with
 *   `integrity`, and a symbolic link in the place of a directory is not followed: `failed-precondition`.
 * - Files, symbolic links and hard links appear under their names whole or not at all, with their metadata, and replace
 *   a file or link that has the name; a directory is not replaced (`failed-precondition`).
 * - Failures are `TwofoldError`s: `not-found` for ENOENT and nothing else, `no-room` for ENOSPC and EDQUOT, `io` for
 *   everything else, with the system's error as the cause and its words in the message.
 * - Nothing is fsynced: a restore can be repeated.
 */
export interface RestoreTarget {
  /** Makes the root where it is missing. @throws `io` when it is no directory or cannot be written to. */
  prepare(): Promise<void>
  /**
   * Leaves a mark that `what` is being restored here, until `finish`: without it, a restore was interrupted. What such
   * a one left half done is removed where this one comes by.
   * @returns when one of the same `what` began that was interrupted, in nanoseconds as `TargetStat.ctimeNs`: files that
   * changed later are its own, and whole. Undefined when there was none, or the machine was started since.
   */
  begin(what: RestoredThing): Promise<bigint | undefined>
  /** Takes the mark away. */
  finish(): Promise<void>
  /** What has the name, links not followed; undefined when nothing has it or a directory above it is missing. */
  stat(path: TargetPath): Promise<TargetStat | undefined>
  /**
   * Makes a directory and the missing ones above it, for this user alone until `setDirectoryMetadata`. An existing one
   * is fine; anything else that has the name is removed when `replace` is set, otherwise refused with `already-exists`.
   * @returns whether it is new, so that nothing is in it.
   */
  makeDirectory(path: TargetPath, options: { replace: boolean }): Promise<boolean>
  /** Sets what is left of a directory when everything in it is there. */
  setDirectoryMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void>
  /** Opens a new file of `length` bytes, all zeros and without blocks, under a temporary name beside `path`. */
  createFile(path: TargetPath, length: number): Promise<TargetFile>
  /**
   * Makes files of which all content is there, as `createFile`, `write` and `commit` would make each, but cheaper.
   * `content` belongs to the target from now on; its memory may be gone afterwards.
   * @returns for each file why it could not be made, undefined if it was. Never throws for one of them.
   */
  writeFiles(content: Uint8Array, files: readonly WholeFile[]): Promise<readonly (TwofoldError | undefined)[]>
  /** Names of what is in a directory, in any order, without what this target needs for itself. */
  list(path: TargetPath): Promise<readonly Uint8Array[]>
  /**
   * Removes a file, a link, or an empty directory; nothing happens when nothing has the name. No link is followed.
   * @throws `failed-precondition` for a directory that is not empty.
   */
  remove(path: TargetPath): Promise<void>
  /** Sets the metadata of a file that is there and stays. */
  setFileMetadata(path: TargetPath, metadata: TargetMetadata): Promise<void>
  makeSymlink(path: TargetPath, target: Uint8Array, metadata: TargetMetadata): Promise<void>
  /** Gives the file `existing` another name. */
  makeLink(existing: TargetPath, path: TargetPath): Promise<void>
  /** Reads up to `into.length` bytes of a regular file at `offset` and says how many. */
  readFile(path: TargetPath, into: Uint8Array, offset: number): Promise<number>
  /** Makes what was set exact where the system could not do it at once, and lets go of everything. */
  close(): Promise<void>
}

/** The folder of a snapshot that is restored, and what happens to files that are there. */
export interface RestoredThing {
  readonly snapshotId: SnapshotId
  readonly path: Uint8Array
  /** One that compares gives files metadata that it has not written, and so another `ctimeNs`. */
  readonly overwrite: OverwriteMode
}

export type TargetPath = readonly Uint8Array[]

/** A file and where its bytes are in the content that it comes with. */
export interface WholeFile {
  readonly path: TargetPath
  readonly offset: number
  readonly length: number
  readonly metadata: TargetMetadata
}

export interface TargetFile {
  /** Writes all of `data`. The memory may be reused after it resolved. */
  write(data: Uint8Array, offset: number): Promise<void>
  /** Sets the metadata and gives the file its name. The file is closed then, also when it fails. */
  commit(metadata: TargetMetadata): Promise<void>
  /** Removes the file; it never had its name. */
  discard(): Promise<void>
}

export interface TargetMetadata {
  /** Permission bits with set-uid, set-gid and sticky: 0 to 0o7777. Not used for symbolic links. */
  readonly mode: number
  /** Set only where this user may give files away; otherwise the files are this user's, without set-uid and set-gid. */
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
}

export interface TargetStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  readonly mtimeNs: bigint
  /** When anything of it was changed last, which nobody can set. */
  readonly ctimeNs: bigint
  /** Device and inode: equal for two names of one file. */
  readonly identity: string
}
