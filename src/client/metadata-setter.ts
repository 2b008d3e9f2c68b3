import * as fs from 'node:fs'
import type { FileTimes } from './file-times.ts'
import type { TargetMetadata } from './restore-target.ts'
import { isErrno } from './target-error.ts'

/** Gives restored entries their owner, mode and times. Throws the system's errors. */
export class MetadataSetter {
  readonly #times: FileTimes
  readonly #mayGiveAway: boolean
  readonly #self: { readonly uid: number; readonly gid: number }

  constructor(times: FileTimes) {
    const { uid, gid } = fs.statSync('/proc/self')
    this.#times = times
    this.#self = { uid, gid }
    this.#mayGiveAway = uid === 0
  }

  /** Of an open file or directory. */
  setOpen(descriptor: number, metadata: TargetMetadata): void {
    const { uid, gid } = metadata
    let mode = metadata.mode & 0o7777
    if (!this.#mayGiveAway || !givesAway(descriptor, uid, gid)) {
      // What would run as its owner must not run as somebody else instead.
      if (uid !== this.#self.uid) mode &= ~0o4000
      if (gid !== this.#self.gid) mode &= ~0o2000
    }
    // Changing the owner clears set-uid, so the mode comes after it.
    fs.fchmodSync(descriptor, mode)
    this.#times.setOpen(descriptor, metadata.mtimeNs)
  }

  /** Of a symbolic link. */
  setLink(path: Buffer, metadata: TargetMetadata): void {
    if (this.#mayGiveAway) giveLinkAway(path, metadata)
    this.#times.setPath(path, metadata.mtimeNs)
  }
}

/** Whether the owner could be set. Inside a container even root may not, or not to everybody. */
function givesAway(descriptor: number, uid: number, gid: number): boolean {
  try {
    fs.fchownSync(descriptor, uid, gid)
    return true
  } catch (error) {
    if (isErrno(error, 'EPERM', 'EINVAL')) return false
    throw error
  }
}

function giveLinkAway(path: Buffer, { uid, gid }: TargetMetadata): void {
  try {
    fs.lchownSync(path, uid, gid)
  } catch (error) {
    // As for files: who may not give it away keeps it, and a link's owner decides nothing about its target.
    if (!isErrno(error, 'EPERM', 'EINVAL')) throw error
  }
}
