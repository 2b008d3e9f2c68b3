import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import { ServerMeter } from '../measure/server-meter.ts'
import { RunningProcess } from '../running-process.ts'
import type { BackupProgram } from './backup-program.ts'
import { folderBytes } from './folder-bytes.ts'

/** restic with its REST server in a process of its own, which is rclone's. It keeps one copy. */
export class Restic implements BackupProgram {
  readonly name = 'restic'
  readonly #store: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #server: RunningProcess
  readonly #signal: AbortSignal

  private constructor(directory: string, served: { server: RunningProcess; port: number }, signal: AbortSignal) {
    this.#signal = signal
    this.#store = repositoryIn(directory)
    this.#server = served.server
    this.#environment = {
      ...process.env,
      RESTIC_REPOSITORY: `rest:http://127.0.0.1:${served.port}/`,
      RESTIC_PASSWORD: 'no secret',
      RESTIC_CACHE_DIR: join(directory, 'cache'),
    }
  }

  /** @param directory for all that it stores, which is empty */
  static async start(directory: string, signal: AbortSignal): Promise<Restic> {
    const port = await freePorts()
    const server = await RunningProcess.startAt(port, {
      command: 'rclone',
      arguments: ['serve', 'restic', '--addr', `127.0.0.1:${port}`, repositoryIn(directory)],
      environment: { ...process.env, RCLONE_CONFIG: join(directory, 'rclone.conf') },
      logFile: join(directory, 'rclone.log'),
    })
    const restic = new Restic(directory, { server, port }, signal)
    try {
      execFileSync('restic', ['init'], { env: restic.#environment, stdio: 'pipe' })
    } catch (error) {
      await restic.close()
      throw error
    }
    return restic
  }

  backup(source: string): Promise<Measurement> {
    return this.#measure(['backup', '--quiet', source])
  }

  restore(target: string): Promise<Measurement> {
    return this.#measure(['restore', '--quiet', 'latest', '--target', target])
  }

  restoredPath(source: string, target: string): string {
    return join(target, source)
  }

  async close(): Promise<void> {
    await this.#server.end('SIGKILL')
  }

  async #measure(args: readonly string[]): Promise<Measurement> {
    const before = folderBytes(this.#store)
    const meter = await ServerMeter.begin({ server: this.#server.pid })
    const command = { file: 'restic', arguments: args, environment: this.#environment }
    const { seconds, usage } = await measureCommand(command, this.#signal)
    const processes = { client: usage, ...(await meter.end()) }
    return { seconds, storedBytes: folderBytes(this.#store) - before, processes }
  }
}

function repositoryIn(directory: string): string {
  return join(directory, 'repository')
}
