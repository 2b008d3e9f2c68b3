/** What Linux knows of a process: its processor time and its peak of resident memory. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** Processor time, user and system together, in ticks. */
export interface CpuTicks {
  readonly own: number
  /** Of its children that ended and were waited for, and of theirs. */
  readonly children: number
}

/** @param stat the content of `/proc/PID/stat` */
export function parseCpuTicks(stat: string): CpuTicks {
  // The name of the command comes second, in parentheses, and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number)
  if (user === undefined || system === undefined || childrenUser === undefined || childrenSystem === undefined) {
    throw new Error(`this is no /proc/PID/stat: ${stat}`)
  }
  return { own: user + system, children: childrenUser + childrenSystem }
}

/** @param status the content of `/proc/PID/status`. Undefined for a process that has ended and was not waited for. */
export function parsePeakRssBytes(status: string): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

let ticksPerSecond: number | undefined

export function secondsOfTicks(ticks: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks / ticksPerSecond
}

export function readCpuTicks(pid: number | 'self'): CpuTicks {
  return parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** Undefined when the process is gone. */
export function readPeakRssBytes(pid: number): number | undefined {
  try {
    return parsePeakRssBytes(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ESRCH when it goes between open and read.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** Makes the peak start again from what is resident now. False where that is not permitted. */
export function resetPeakRss(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
}
