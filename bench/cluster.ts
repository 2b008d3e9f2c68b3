/** A cluster of real processes on this machine, for the demo, the tests on processes, and measurements. */
import { spawn } from 'node:child_process'
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from '../src/client/main.ts'
import { silentLogger } from '../src/core/logger.ts'
import type { NodeInfo } from '../src/core/model.ts'
import { systemClock } from '../src/system/clock.ts'
import { systemRandom } from '../src/system/random.ts'
import { freePorts } from './free-ports.ts'
import { RunningProcess } from './running-process.ts'

export const launcher = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'twofold')

export interface ClusterOptions {
  /** How many nodes: n1, n2, …; 3 unless given. */
  readonly nodes?: number
  /** Where everything is kept; a temporary directory that `stop` removes unless given. */
  readonly directory?: string
  /** Of each node; 10GB unless given. */
  readonly capacity?: string
  /** Options of the manager, for example `['--dead-after', '5s']`. */
  readonly managerOptions?: readonly string[]
  /** Failure domains of the nodes by name; each is its own unless given. */
  readonly domains?: Readonly<Record<string, string>>
  /** More options of a node, asked at each of its starts; they win over all others. */
  readonly nodeOptions?: (name: string) => readonly string[]
  /** Variables for the manager and the nodes only. */
  readonly serverEnvironment?: NodeJS.ProcessEnv
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Member {
  process: RunningProcess | undefined
  /** Taken at the first start and kept, so that others find it again. */
  address: string
}

const healthyWithinMs = 30_000

export class Cluster {
  readonly directory: string
  readonly #options: ClusterOptions
  readonly #temporary: boolean
  readonly #members = new Map<string, Member>()

  private constructor(options: ClusterOptions) {
    this.#options = options
    this.#temporary = options.directory === undefined
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), 'twofold-cluster-'))
    mkdirSync(this.directory, { recursive: true })
  }

  /** Resolves when the manager and all nodes are healthy. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options)
    try {
      await cluster.startProcess('manager')
      const names = Array.from({ length: options.nodes ?? 3 }, (_, at) => `n${at + 1}`)
      await Promise.all(names.map((name) => cluster.startProcess(name)))
      await cluster.waitForNodes(names)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  get managerAddress(): string {
    return this.address('manager')
  }

  /** In which a command line finds this cluster. */
  get environment(): NodeJS.ProcessEnv {
    return { ...cleanEnvironment(), TWOFOLD_MANAGER: this.managerAddress }
  }

  get nodeNames(): string[] {
    return [...this.#members.keys()].filter((name) => name !== 'manager').sort()
  }

  /** `host:port` of the manager or a node. */
  address(name: string): string {
    return this.#member(name).address
  }

  pid(name: string): number {
    return this.#member(name).process?.pid ?? 0
  }

  /** Whether it was started and not ended by this class. It may have ended by itself. */
  isStarted(name: string): boolean {
    return this.#members.get(name)?.process !== undefined
  }

  /** Resolves when the process that runs now is gone, with its exit code or the signal that ended it. */
  async untilEnded(name: string): Promise<number | NodeJS.Signals | undefined> {
    return this.#member(name).process?.ended
  }

  dataDirectory(name: string): string {
    return join(this.directory, name)
  }

  logFile(name: string): string {
    return join(this.directory, `${name}.log`)
  }

  /** Starts the manager or a node, for the first time or again at the same address. */
  async startProcess(name: string): Promise<void> {
    const known = this.#members.get(name)
    const listenAt = known?.address ?? `127.0.0.1:${await freePorts()}`
    const listen = ['--listen', listenAt, '--data', this.dataDirectory(name), '--json']
    const own = name === 'manager' ? (this.#options.managerOptions ?? []) : this.#nodeOptions(name)
    const { process: running, address } = await RunningProcess.start({
      command: launcher,
      arguments: [name === 'manager' ? 'manager' : 'node', ...listen, ...own],
      environment: { ...cleanEnvironment(), ...this.#options.serverEnvironment },
      logFile: this.logFile(name),
    })
    this.#members.set(name, { process: running, address })
  }

  /** Ends a process at once, without a chance to tidy up. */
  async kill(name: string): Promise<void> {
    await this.end(name, 'SIGKILL')
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | undefined> {
    const member = this.#member(name)
    const running = member.process
    member.process = undefined
    return running?.end(signal)
  }

  /** Runs a command line to its end. Its exit code is -1 when a signal ended it. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const child = this.spawn(args, options)
    const [stdout, stderr, code] = await Promise.all([collect(child.stdout), collect(child.stderr), exitOf(child)])
    return { code, stdout, stderr }
  }

  /** Starts a command line. */
  spawn(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
    const environment = { ...this.environment, ...options.environment }
    const { directory: cwd, uid } = options
    const child = spawn(launcher, args, { env: environment, cwd, stdio: 'pipe', ...(uid === undefined ? {} : { uid }) })
    // A command that ends early closes its stdin; that is its right.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.stdin ?? '')
    return child
  }

  /** Runs a command line in the terminal of this process and resolves with its exit code. */
  async runVisibly(args: readonly string[]): Promise<number> {
    return exitOf(spawn(launcher, args, { env: this.environment, stdio: ['ignore', 'inherit', 'inherit'] }))
  }

  /** Runs a command with `--json` and parses its lines; throws unless it exits with `code`. */
  async json<T = Record<string, unknown>>(args: readonly string[], code = 0): Promise<T[]> {
    const result = await this.run([...args, '--json'])
    if (result.code !== code) throw new Error(`${args.join(' ')} exited with ${result.code}: ${result.stderr}`)
    return parseLines<T>(result.stdout)
  }

  /** Resolves when these nodes are up and can write. */
  async waitForNodes(names: readonly string[] = this.nodeNames): Promise<void> {
    await this.waitFor(`${names.join(', ')} to be up`, async () => {
      const nodes = await this.#nodes()
      const up = nodes.filter(({ state, writable }) => state === 'up' && writable).map(({ node }) => node.name)
      return names.every((name) => up.includes(name))
    })
  }

  /** Resolves when every node has reported twice from now on: what others did before, it has recorded and said then. */
  async waitForReports(): Promise<void> {
    const heard = new Map<string, Set<number>>(this.nodeNames.map((name) => [name, new Set()]))
    await this.waitFor('every node to report twice', async () => {
      for (const { node, lastHeartbeatMs } of await this.#nodes()) heard.get(node.name)?.add(lastHeartbeatMs)
      return [...heard.values()].every(({ size }) => size > 2)
    })
  }

  /** Resolves when the manager calls a node so. */
  async waitForState(node: string, ...states: readonly string[]): Promise<void> {
    await this.waitFor(`${node} to be ${states.join(' or ')}`, async () => {
      const nodes = await this.#nodes()
      return nodes.some((info) => info.node.name === node && states.includes(info.state))
    })
  }

  /** Asked from here: a command for each look would keep a processor busy that those who are waited for need. */
  async #nodes(): Promise<readonly NodeInfo[]> {
    const ports = { clock: systemClock, random: systemRandom, logger: silentLogger }
    const client = createClient({ managers: [this.managerAddress], ...ports, hostName: '', userName: '' })
    try {
      return await client.nodes()
    } finally {
      client.close()
    }
  }

  async waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + healthyWithinMs
    let last = ''
    while (Date.now() < deadline) {
      try {
        if (await condition()) return
      } catch (error) {
        last = `: ${error instanceof Error ? error.message : String(error)}`
      }
      await sleep(200)
    }
    throw new Error(`waited ${healthyWithinMs / 1000} s in vain for ${what}${last}; the logs are in ${this.directory}`)
  }

  /** Stops everything and removes what is temporary. */
  async stop(): Promise<void> {
    await Promise.all(this.nodeNames.map((name) => this.end(name, 'SIGKILL')))
    if (this.#members.has('manager')) await this.end('manager', 'SIGKILL')
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true })
  }

  #nodeOptions(name: string): string[] {
    const domain = this.#options.domains?.[name]
    return [
      ...['--name', name, '--capacity', this.#options.capacity ?? '10GB', '--manager', this.managerAddress],
      ...(domain === undefined ? [] : ['--domain', domain]),
      ...(this.#options.nodeOptions?.(name) ?? []),
    ]
  }

  #member(name: string): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new Error(`there is no ${name} in this cluster`)
    return member
  }
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly directory?: string
  /** Runs it as another user; only root may. */
  readonly uid?: number
  readonly stdin?: string | Uint8Array
}

/** The environment without settings of the user's own, and where no program can make any, whoever runs it. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('TWOFOLD_'))
  return { ...Object.fromEntries(kept), XDG_CONFIG_HOME: '/proc/nonexistent' }
}

export function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
}
