import { futimesSync, lutimesSync } from 'node:fs'
import { atCurrentDirectory, loadForeignFunctions, noFollow } from './foreign-functions.ts'
import type { ForeignFunctions } from './foreign-functions.ts'

/**
 * Sets times of files to the nanosecond. Node's own functions take seconds as a double, which is exact to about a
 * quarter of a microsecond for the present; the system call is reached through `koffi` where that is installed.
 */
export interface FileTimes {
  /** Whether times come out to the nanosecond. */
  readonly exact: boolean
  /** Sets access and modification time of an open file or directory. */
  setOpen(descriptor: number, mtimeNs: bigint): void
  /** The same for a path, and if it is a symbolic link for the link itself. */
  setPath(path: Buffer, mtimeNs: bigint): void
}

const nanosPerSecond = 1_000_000_000n

const roundedTimes: FileTimes = {
  exact: false,
  setOpen: (descriptor, mtimeNs) => futimesSync(descriptor, rounded(mtimeNs), rounded(mtimeNs)),
  setPath: (path, mtimeNs) => lutimesSync(path, rounded(mtimeNs), rounded(mtimeNs)),
}

let loading: Promise<FileTimes> | undefined

/** The best that this installation has; loaded once for each process. */
export function loadFileTimes(): Promise<FileTimes> {
  return (loading ??= load())
}

async function load(): Promise<FileTimes> {
  const foreign = await loadForeignFunctions()
  return foreign === undefined ? roundedTimes : exactTimes(foreign)
}

function exactTimes(foreign: ForeignFunctions): FileTimes {
  const library = foreign.load(null)
  const futimens = library.func('int futimens(int fd, const int64_t *times)')
  const utimensat = library.func('int utimensat(int dirfd, const uint8_t *path, const int64_t *times, int flags)')
  const times = new BigInt64Array(4)
  const timespecs = (mtimeNs: bigint): BigInt64Array => {
    const nanos = ((mtimeNs % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
    times[0] = times[2] = (mtimeNs - nanos) / nanosPerSecond
    times[1] = times[3] = nanos
    return times
  }
  // A refusal is repeated through Node, whose error then says in words what the matter is.
  return {
    exact: true,
    setOpen: (descriptor, mtimeNs) => {
      if (futimens(descriptor, timespecs(mtimeNs)) !== 0) roundedTimes.setOpen(descriptor, mtimeNs)
    },
    setPath: (path, mtimeNs) => {
      const terminated = Buffer.concat([path, Buffer.alloc(1)])
      const result = utimensat(atCurrentDirectory, terminated, timespecs(mtimeNs), noFollow)
      if (result !== 0) roundedTimes.setPath(path, mtimeNs)
    },
  }
}

/** Node takes negative seconds for "now", but believes a date before 1970, to the millisecond. */
function rounded(ns: bigint): number | Date {
  const seconds = Number(ns / nanosPerSecond) + Number(ns % nanosPerSecond) / 1e9
  return seconds < 0 ? new Date(seconds * 1000) : seconds
}
