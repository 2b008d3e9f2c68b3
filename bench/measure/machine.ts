import { readFileSync } from 'node:fs'
import * as os from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  /** Where the temporary data is, and on what kind of file system. */
  readonly directory: string
  readonly fileSystem: string
  /** Average of the last minute when the measurements began: what else was going on. */
  readonly load: number
}

export function describeMachine(directory: string): Machine {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    directory,
    fileSystem: fileSystemOf(directory, readFileSync('/proc/self/mounts', 'utf8')),
    load: os.loadavg()[0] ?? Number.NaN,
  }
}

/** The type of the file system that a directory is on. @param mounts the content of `/proc/self/mounts` */
export function fileSystemOf(directory: string, mounts: string): string {
  let best = { point: '', type: 'unknown' }
  for (const line of mounts.split('\n')) {
    const [, escaped = '', type = ''] = line.split(' ')
    const point = escaped.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
    const inside = point === '/' || directory === point || directory.startsWith(`${point}/`)
    // Of two mounts at one place the later one hides the earlier.
    if (point !== '' && inside && point.length >= best.point.length) best = { point, type }
  }
  return best.type
}
