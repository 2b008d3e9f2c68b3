import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import { ServerMeter } from '../measure/server-meter.ts'
import { RunningProcess } from '../running-process.ts'

const nodeOptions = [
  '--disable-warning=ExperimentalWarning',
  // Of the launcher's options only this one: the others take time to save memory, and this is about the time.
  ...(Number.parseInt(process.versions.node, 10) >= 24 ? ['--external-memory-accounted-in-global-limit'] : []),
]

const scriptArguments = (name: string, ...rest: string[]): string[] => [
  ...nodeOptions,
  join(import.meta.dirname, name),
  ...rest,
]

function startHop(directory: string, next?: string): Promise<{ process: RunningProcess; address: string }> {
  return RunningProcess.start({
    command: process.execPath,
    arguments: scriptArguments('pipeline-hop.ts', directory, ...(next === undefined ? [] : [next])),
    environment: process.env,
    logFile: `${directory}.log`,
  })
}

/**
 * What grpc-js and the disk can do on this machine: one stream of `bytes` from memory through the two hops that
 * Twofold's data takes, client to primary (`n1`) to replica (`n2`), all separate processes. Both hops write and sync it
 * in files as long as packs, and do nothing else with it. The time is from the first message to the answer, without the
 * start of the processes.
 *
 * @param directory for the files and logs, which must not exist
 */
export async function measurePipeline(bytes: number, directory: string, signal: AbortSignal): Promise<Measurement> {
  mkdirSync(directory)
  const hops: RunningProcess[] = []
  try {
    const last = await startHop(join(directory, 'n2'))
    hops.push(last.process)
    const first = await startHop(join(directory, 'n1'), last.address)
    hops.push(first.process)
    const meter = await ServerMeter.begin({ n1: first.process.pid, n2: last.process.pid })
    const sender = scriptArguments('pipeline-sender.ts', first.address, String(bytes))
    const { stdout, usage } = await measureCommand({ file: process.execPath, arguments: sender }, signal)
    const processes = { client: usage, ...(await meter.end()) }
    const { seconds } = JSON.parse(stdout) as { seconds: number }
    return { seconds, storedBytes: undefined, processes }
  } finally {
    await Promise.all(hops.map((hop) => hop.end('SIGKILL')))
  }
}
