import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import { readCpuTicks, readPeakRssBytes, resetPeakRss, secondsOfTicks } from '../measure/process-usage.ts'
import { RunningProcess } from '../running-process.ts'

const nodeOptions = [
  '--disable-warning=ExperimentalWarning',
  // As `bin/twofold` starts it.
  ...(Number.parseInt(process.versions.node, 10) >= 24 ? ['--external-memory-accounted-in-global-limit'] : []),
]

const scriptArguments = (name: string, ...rest: string[]): string[] => [
  ...nodeOptions,
  join(import.meta.dirname, name),
  ...rest,
]

function startHop(logFile: string, next?: string): Promise<{ process: RunningProcess; address: string }> {
  return RunningProcess.start({
    command: process.execPath,
    arguments: scriptArguments('raw-stream-hop.ts', ...(next === undefined ? [] : [next])),
    environment: process.env,
    logFile,
  })
}

/**
 * What grpc-js can do on this machine: one stream of `bytes` from memory through the two hops that Twofold's data
 * takes, client to primary (`n1`) to replica (`n2`), all separate processes that do nothing else with the bytes. The
 * time is from the first message to the answer, without the start of the processes.
 *
 * @param directory for the logs, which must not exist
 */
export async function measureRawStream(bytes: number, directory: string, signal: AbortSignal): Promise<Measurement> {
  mkdirSync(directory)
  const hops: { name: string; process: RunningProcess }[] = []
  try {
    const last = await startHop(join(directory, 'n2.log'))
    hops.push({ name: 'n2', process: last.process })
    const first = await startHop(join(directory, 'n1.log'), last.address)
    hops.unshift({ name: 'n1', process: first.process })
    const before = hops.map(({ process: { pid } }) => readCpuTicks(pid).own)
    for (const hop of hops) resetPeakRss(hop.process.pid)
    const sender = scriptArguments('raw-stream-sender.ts', first.address, String(bytes))
    const { stdout, usage } = await measureCommand({ file: process.execPath, arguments: sender }, signal)
    const spent = hops.map(({ name, process: { pid } }, at) => {
      const cpuSeconds = secondsOfTicks(readCpuTicks(pid).own - (before[at] ?? 0))
      return [name, { cpuSeconds, peakRssBytes: readPeakRssBytes(pid) }] as const
    })
    const { seconds } = JSON.parse(stdout) as { seconds: number }
    return { seconds, storedBytes: undefined, processes: { client: usage, ...Object.fromEntries(spent) } }
  } finally {
    await Promise.all(hops.map((hop) => hop.process.end('SIGKILL')))
  }
}
