import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../bench/cluster.ts'

interface Line {
  readonly message_type: string
  readonly action: string
  readonly item: string
  /** Of a status and of a checkpoint. */
  readonly files_done: number
  readonly primary: string
  readonly replicas: readonly string[]
}

export type Role = 'primary' | 'replica'

/** So slow that whoever watches is there in the middle of it, also on a busy machine. */
const rate = '50MB'

/** A backup in a process of its own whose packs are watched. */
export class RunningBackup {
  readonly #cluster: Cluster
  readonly #child: ChildProcessWithoutNullStreams
  readonly #roles = new Map<string, Record<Role, string>>()
  readonly #retried = new Set<string>()
  readonly #ended: Promise<number>
  #stderr = ''
  #filesDone = 0
  #filesSaved = 0
  #over = false

  constructor(cluster: Cluster, args: readonly string[]) {
    this.#cluster = cluster
    this.#child = cluster.spawn(['backup', '--limit-upload', rate, ...args, '--json', '--verbose'])
    this.#child.stderr.on('data', (piece: Buffer) => (this.#stderr += piece.toString()))
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#remember(JSON.parse(line) as Line))
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#over = true
        resolve(code ?? -1)
      })
    })
  }

  /** Packs that were sent a second time. */
  get retried(): number {
    return this.#retried.size
  }

  get stderr(): string {
    return this.#stderr
  }

  interrupt(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with the exit code. */
  end(): Promise<number> {
    return this.#ended
  }

  /**
   * Kills a node with SIGKILL while a pack is on its way to it in this role, and says which node it was. The node is
   * stopped first: when its unfinished file is still there then, the transfer cannot have been over.
   */
  async killInTheMiddle(role: Role): Promise<string> {
    for (;;) {
      if (this.#over) throw new Error(`the backup ended before a node could be killed: ${this.#stderr}`)
      const found = this.#transfers().find(({ packId, node }) => this.#roles.get(packId)?.[role] === node)
      if (found !== undefined) {
        process.kill(this.#cluster.pid(found.node), 'SIGSTOP')
        if (this.#transfers().some(({ file }) => file === found.file)) {
          await this.#cluster.kill(found.node)
          return found.node
        }
        process.kill(this.#cluster.pid(found.node), 'SIGCONT')
      }
      await turn()
    }
  }

  /** Resolves when so many files are done. */
  async untilDone(files: number): Promise<void> {
    await this.#until(`${files} files were done`, () => this.#filesDone >= files)
  }

  /** Kills it as soon as it has saved a checkpoint with so many files, and says with how many. */
  async killAfterCheckpoint(files: number): Promise<number> {
    await this.#until(`a checkpoint with ${files} files`, () => this.#filesSaved >= files)
    this.interrupt('SIGKILL')
    return this.#filesSaved
  }

  async #until(what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#over) throw new Error(`the backup ended before ${what}: ${this.#stderr}`)
      await turn()
    }
  }

  /** Resolves when a pack is on its way. */
  async untilTransfer(): Promise<void> {
    while (this.#transfers().length === 0) {
      if (this.#over) throw new Error(`the backup ended before anything was sent: ${this.#stderr}`)
      await sleep(1)
    }
  }

  /** Unfinished packs on the nodes. */
  #transfers(): { readonly node: string; readonly packId: string; readonly file: string }[] {
    return this.#cluster.nodeNames.flatMap((node) =>
      unfinishedFiles(this.#cluster, node).map((name) => ({
        node,
        packId: name.split('.')[0] ?? '',
        file: `${node}/${name}`,
      })),
    )
  }

  #remember(line: Line): void {
    if (line.action === 'pack_sending') {
      this.#roles.set(line.item, { primary: line.primary, replica: line.replicas[0] ?? '' })
    }
    if (line.message_type === 'status') this.#filesDone = line.files_done
    if (line.action === 'checkpoint') this.#filesSaved = line.files_done
    if (line.action === 'pack_retry') this.#retried.add(line.item)
  }
}

/** What a node has of packs that are not complete. */
export function unfinishedFiles(cluster: Cluster, node: string): string[] {
  return listIfThere(join(cluster.dataDirectory(node), 'incoming'))
}

/** What a node has put aside because it is damaged. */
export function quarantinedFiles(cluster: Cluster, node: string): string[] {
  return listIfThere(join(cluster.dataDirectory(node), 'quarantine'))
}

/** The packs that a node has, as paths. */
export function packFiles(cluster: Cluster, node: string): string[] {
  const packs = join(cluster.dataDirectory(node), 'packs')
  return listIfThere(packs).flatMap((folder) =>
    listIfThere(join(packs, folder)).map((name) => join(packs, folder, name)),
  )
}

function listIfThere(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
