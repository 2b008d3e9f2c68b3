import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { measureCommand } from '../measure/measured-command.ts'
import type { Command } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import { secondsWithChildren } from '../measure/server-meter.ts'
import { RunningProcess } from '../running-process.ts'
import type { BackupProgram } from './backup-program.ts'
import { folderBytes } from './folder-bytes.ts'

/** Both at once; it fails when one of them does. */
const twoAtOnce = `
rsync --archive --delete "$1/" "$2" & first=$!
rsync --archive --delete "$1/" "$3" & second=$!
wait $first
wait $second`

interface Daemon {
  readonly process: RunningProcess
  /** What it keeps. */
  readonly copy: string
  readonly url: string
}

/** Two rsyncs at once to two daemons, so that there are two copies; back from one. Nobody syncs. */
export class Rsync implements BackupProgram {
  readonly name = 'two rsyncs'
  readonly #daemons: readonly [Daemon, Daemon]
  readonly #signal: AbortSignal

  private constructor(daemons: readonly [Daemon, Daemon], signal: AbortSignal) {
    this.#daemons = daemons
    this.#signal = signal
  }

  /** @param directory for all that it stores, which is empty */
  static async start(directory: string, signal: AbortSignal): Promise<Rsync> {
    const first = await startDaemon(join(directory, 'first'))
    try {
      return new Rsync([first, await startDaemon(join(directory, 'second'))], signal)
    } catch (error) {
      await first.process.end('SIGKILL')
      throw error
    }
  }

  backup(source: string): Promise<Measurement> {
    const urls = this.#daemons.map(({ url }) => url)
    return this.#measure({ file: 'sh', arguments: ['-euc', twoAtOnce, 'two-rsyncs', source, ...urls] })
  }

  restore(target: string): Promise<Measurement> {
    return this.#measure({ file: 'rsync', arguments: ['--archive', this.#daemons[0].url, target] })
  }

  restoredPath(_source: string, target: string): string {
    return target
  }

  async close(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.process.end('SIGKILL')))
  }

  /** There is no peak of memory: every rsync is several processes. */
  async #measure(command: Command): Promise<Measurement> {
    const storedBefore = this.#storedBytes()
    const before = await this.#serverSeconds()
    const { seconds, usage } = await measureCommand(command, this.#signal)
    const client = { cpuSeconds: usage.cpuSeconds, peakRssBytes: undefined }
    const server = { cpuSeconds: (await this.#serverSeconds()) - before, peakRssBytes: undefined }
    return { seconds, storedBytes: this.#storedBytes() - storedBefore, processes: { client, server } }
  }

  async #serverSeconds(): Promise<number> {
    const [first, second] = this.#daemons
    const seconds = await secondsWithChildren(first.process.pid, this.#signal)
    return seconds + (await secondsWithChildren(second.process.pid, this.#signal))
  }

  #storedBytes(): number {
    return this.#daemons.reduce((sum, { copy }) => sum + folderBytes(copy), 0) / this.#daemons.length
  }
}

async function startDaemon(directory: string): Promise<Daemon> {
  const copy = join(directory, 'copy')
  mkdirSync(copy, { recursive: true })
  const config = join(directory, 'rsyncd.conf')
  writeFileSync(config, configuration(copy, join(directory, 'daemon.log')))
  const port = await freePorts()
  const process = await RunningProcess.startAt(port, {
    command: 'rsync',
    arguments: ['--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`],
    environment: globalThis.process.env,
    logFile: join(directory, 'daemon.err'),
  })
  return { process, copy, url: `rsync://127.0.0.1:${port}/copy/` }
}

function configuration(copy: string, logFile: string): string {
  // A daemon that root starts would become "nobody", which cannot keep owners.
  const asRoot = process.getuid?.() === 0 ? ['uid = 0', 'gid = 0'] : []
  const lines = [
    ...['use chroot = no', 'munge symlinks = no', 'numeric ids = yes', 'reverse lookup = no', `log file = ${logFile}`],
    ...['[copy]', `path = ${copy}`, 'read only = no', ...asRoot],
  ]
  return `${lines.join('\n')}\n`
}
