import * as fs from 'node:fs'
import { isErrno } from './target-error.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** What is left in the target while something is restored to it. */
export interface RestoreMark {
  /** 16 hexadecimal digits, part of all temporary names. */
  readonly id: string
  /** When the restore began that was not finished; undefined when there is none to go on with. */
  readonly sinceNs: bigint | undefined
}

/**
 * Finds the mark that an interrupted restore of the same thing left at `path`, or leaves one with this `id`. One from
 * before the machine was started is not believed: nothing was synced, so files from then may lack their content.
 * @throws the system's error
 */
export function leaveMark(path: Buffer, what: string, id: string): RestoreMark {
  const boot = bootId()
  const found = readMark(path)
  const words = found?.text.split('\n') ?? []
  const known = words[2] ?? ''
  if (
    found !== undefined &&
    boot !== undefined &&
    words[0] === what &&
    words[1] === boot &&
    /^[0-9a-f]{16}$/.test(known)
  ) {
    return { id: known, sinceNs: found.mtimeNs }
  }
  fs.rmSync(path, { force: true })
  fs.writeFileSync(path, [what, boot ?? '', id, ''].join('\n'), { flag: 'wx', mode: 0o600 })
  return { id, sinceNs: undefined }
}

function readMark(path: Buffer): { text: string; mtimeNs: bigint } | undefined {
  let descriptor: number
  try {
    descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EACCES', 'ENXIO')) return undefined
    throw error
  }
  try {
    const stats = fs.fstatSync(descriptor, { bigint: true })
    if (!stats.isFile() || stats.size > markBytesMax) return undefined
    return { text: fs.readFileSync(descriptor, 'utf8'), mtimeNs: stats.mtimeNs }
  } finally {
    fs.closeSync(descriptor)
  }
}

/** What is restored is named by an id and a path in hexadecimal, of at most 4096 bytes. */
const markBytesMax = 16 * 1024

/** Another one after each start of the machine; undefined where the system has none. */
function bootId(): string | undefined {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
