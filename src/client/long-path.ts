import * as fs from 'node:fs'
import { asBuffer } from '../core/ids.ts'

/** Linux takes paths of up to 4095 bytes in one call; a little less, because a prefix is put before them. */
const pathBytesMax = 4000
const slashByte = 0x2f
export const directoryFlags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY

/**
 * Calls `work` with a path that the system takes: `path` itself, or for a longer one the same thing seen from an open
 * directory on the way. The directory stays open until what `work` returns is settled.
 */
export function withReachablePath<T>(path: Uint8Array, work: (reachable: Buffer) => T): T {
  const whole = asBuffer(path)
  if (whole.length <= pathBytesMax) return work(whole)
  const { descriptor, rest } = descend(whole)
  let pending = false
  try {
    const result = work(Buffer.concat([Buffer.from(`/proc/self/fd/${descriptor}/`), rest]))
    if (result instanceof Promise) {
      pending = true
      return result.finally(() => fs.closeSync(descriptor)) as T
    }
    return result
  } finally {
    if (!pending) fs.closeSync(descriptor)
  }
}

function descend(path: Buffer): { descriptor: number; rest: Buffer } {
  let descriptor: number | undefined
  let rest = path
  while (rest.length > pathBytesMax) {
    const cut = rest.lastIndexOf(slashByte, pathBytesMax)
    const prefix = descriptor === undefined ? '' : `/proc/self/fd/${descriptor}/`
    const next = fs.openSync(Buffer.concat([Buffer.from(prefix), rest.subarray(0, cut)]), directoryFlags)
    if (descriptor !== undefined) fs.closeSync(descriptor)
    descriptor = next
    rest = rest.subarray(cut + 1)
  }
  if (descriptor === undefined) throw new Error('only a long path is descended')
  return { descriptor, rest }
}
