/** Other programs for the same job, where they are installed. Each keeps one copy, on the same disk. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import type { BackupProgram } from './backup-program.ts'
import { folderBytes } from './folder-bytes.ts'

export const peerNames = ['restic', 'rsync'] as const
export type PeerName = (typeof peerNames)[number]

export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      // It is not here; the next directory may have it.
      return false
    }
  })
}

/** What it says of itself. */
export function versionOf(name: PeerName): string {
  const said = execFileSync(name, [name === 'restic' ? 'version' : '--version'], { encoding: 'utf8' })
  return said.split('\n')[0]?.trim() ?? ''
}

/** @param directory for all that it stores, which must not exist */
export function startPeer(name: PeerName, directory: string, signal: AbortSignal): BackupProgram {
  mkdirSync(directory)
  return name === 'restic' ? new Restic(directory, signal) : new Rsync(directory, signal)
}

/** A measured command, and by how much the files of `store` grew meanwhile. */
async function measure(
  program: string,
  args: readonly string[],
  options: { store: string; environment?: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<Measurement> {
  const { store, environment = process.env, signal } = options
  const before = folderBytes(store)
  const { seconds, usage } = await measureCommand({ file: program, arguments: args, environment }, signal)
  return { seconds, storedBytes: folderBytes(store) - before, processes: { client: usage } }
}

class Restic implements BackupProgram {
  readonly name = 'restic'
  readonly #store: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #signal: AbortSignal

  constructor(directory: string, signal: AbortSignal) {
    this.#signal = signal
    this.#store = join(directory, 'repository')
    this.#environment = {
      ...process.env,
      RESTIC_REPOSITORY: this.#store,
      RESTIC_PASSWORD: 'no secret',
      RESTIC_CACHE_DIR: join(directory, 'cache'),
    }
    execFileSync('restic', ['init'], { env: this.#environment, stdio: 'pipe' })
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

  async close(): Promise<void> {}

  #measure(args: readonly string[]): Promise<Measurement> {
    return measure('restic', args, { store: this.#store, environment: this.#environment, signal: this.#signal })
  }
}

class Rsync implements BackupProgram {
  readonly name = 'rsync'
  readonly #store: string
  readonly #signal: AbortSignal
  readonly #backupOptions: readonly string[]

  constructor(directory: string, signal: AbortSignal) {
    this.#signal = signal
    this.#store = join(directory, 'copy')
    // So that it says "done" when the files are on the disk, as the others do; versions before 3.2.4 cannot.
    const knowsFsync = execFileSync('rsync', ['--help'], { encoding: 'utf8' }).includes('--fsync')
    this.#backupOptions = ['--archive', '--delete', ...(knowsFsync ? ['--fsync'] : [])]
  }

  backup(source: string): Promise<Measurement> {
    return this.#measure([...this.#backupOptions, `${source}/`, this.#store])
  }

  restore(target: string): Promise<Measurement> {
    return this.#measure(['--archive', `${this.#store}/`, target])
  }

  restoredPath(_source: string, target: string): string {
    return target
  }

  async close(): Promise<void> {}

  #measure(args: readonly string[]): Promise<Measurement> {
    return measure('rsync', args, { store: this.#store, signal: this.#signal })
  }
}
