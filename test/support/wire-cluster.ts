import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../bench/free-ports.ts'
import { createClient } from '../../src/client/main.ts'
import type { Client } from '../../src/client/index.ts'
import { ManagerRemote } from '../../src/client/manager-remote.ts'
import { StorageRemote } from '../../src/client/storage-remote.ts'
import type { Clock } from '../../src/core/clock.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import type { PackId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Allocation, Session, SessionRef } from '../../src/core/messages.ts'
import type { UploadHeader } from '../../src/core/storage-messages.ts'
import type { NodeState } from '../../src/core/model.ts'
import { startManager } from '../../src/manager/main.ts'
import { startNode } from '../../src/node/main.ts'
import type { NodeOptions, RunningNode } from '../../src/node/main.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'

const logger = silentLogger

/** Waits for a condition. The test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(5)
}

type Timing = NonNullable<Parameters<typeof startManager>[0]['timing']>

interface ManagerSetup {
  readonly clock: Clock
  readonly timing: Timing
}

interface RunningManager {
  readonly address: string
  stop(): Promise<void>
}

/** A manager and nodes as their mains start them, on real disks, in one process, with real gRPC between them. */
export class WireCluster {
  readonly directory: string
  /** By the name of their folder, which is their own name unless a test wants another. */
  readonly nodes = new Map<string, RunningNode>()
  readonly managerAddress: string
  /** As a client would reach the cluster, below its sessions and retries. */
  readonly managerApi: ManagerRemote
  readonly storageApi: StorageRemote
  readonly #clock: Clock
  readonly #timing: Timing
  readonly #control = new ChannelPool({ bulk: false })
  readonly #bulk = new ChannelPool({ bulk: true })
  readonly #clients: Client[] = []
  #manager: RunningManager

  private constructor(directory: string, { clock, timing }: ManagerSetup, manager: RunningManager) {
    this.directory = directory
    this.#clock = clock
    this.#timing = timing
    this.#manager = manager
    this.managerAddress = manager.address
    this.managerApi = new ManagerRemote(this.#control, [manager.address])
    this.storageApi = new StorageRemote(this.#bulk)
  }

  /** @param options `clock` and `timing` are the manager's. */
  static async start(options: {
    nodes: readonly string[]
    clock?: Clock
    timing?: Timing
    capacityBytes?: number
  }): Promise<WireCluster> {
    const { clock = systemClock, timing = {}, capacityBytes = 2e8 } = options
    const directory = mkdtempSync(join(tmpdir(), 'twofold-wire-'))
    const listen = `127.0.0.1:${await freePorts()}`
    const cluster = new WireCluster(
      directory,
      { clock, timing },
      await runManager(directory, { clock, timing }, listen),
    )
    for (const name of options.nodes) await cluster.startNode({ name, capacityBytes })
    await cluster.untilState('up', ...options.nodes)
    return cluster
  }

  async stopManager(): Promise<void> {
    await this.#manager.stop()
  }

  /** After it was stopped, at the same address. */
  async startManager(): Promise<void> {
    const setup = { clock: this.#clock, timing: this.#timing }
    this.#manager = await runManager(this.directory, setup, this.managerAddress)
    // Connections of before are noticed to be dead at their first use.
    await until(() =>
      this.managerApi.getStatus().then(
        () => true,
        (error: unknown) => {
          if (isTwofoldError(error, 'unavailable')) return false
          throw error
        },
      ),
    )
  }

  async startNode(
    options: Partial<NodeOptions> & { readonly name: string },
    folder = options.name,
  ): Promise<RunningNode> {
    const node = await startNode({
      dataDirectory: join(this.directory, folder),
      listen: '127.0.0.1:0',
      managers: [this.managerAddress],
      capacityBytes: 2e8,
      logger,
      ...options,
    })
    this.nodes.set(folder, node)
    return node
  }

  async untilState(state: NodeState, ...names: string[]): Promise<void> {
    await until(async () => {
      const nodes = await this.managerApi.listNodes()
      return names.every((name) => nodes.some((info) => info.node.name === name && info.state === state))
    })
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    this.#control.close()
    this.#bulk.close()
    await Promise.all([...this.nodes.values()].map((node) => node.stop()))
    await this.#manager.stop()
    rmSync(this.directory, { recursive: true })
  }

  client(): Client {
    const client = createClient({
      ...{ managers: [this.managerAddress], clock: systemClock, random: systemRandom, logger },
      ...{ hostName: 'host', userName: 'user' },
    })
    this.#clients.push(client)
    return client
  }

  session(): Promise<Session> {
    return this.managerApi.beginBackup({
      ...{ clientId: randomHexId<string>(systemRandom), requestId: randomHexId<string>(systemRandom) },
      ...{
        vault: '',
        host: 'host',
        user: 'user',
        paths: [Buffer.from('/p')],
        fileName: '',
        parent: '',
        noParent: true,
      },
    })
  }

  allocate(session: SessionRef, lengthBytes: number): Promise<Allocation> {
    const requestId = randomHexId<string>(systemRandom)
    return this.managerApi.allocatePack({ session, requestId, lengthBytes, excludeNodeIds: [] })
  }

  /** What an upload of `lengthBytes` says first. */
  headerOf({ ticket, replicas }: Allocation, lengthBytes: number): UploadHeader {
    return { ticket, replicas, lengthBytes }
  }

  /** The files that nodes have, of one pack or of all, as `node/folder/name`. */
  files(packId?: PackId): string[] {
    const found: string[] = []
    for (const name of this.nodes.keys()) {
      for (const folder of ['incoming', 'packs']) {
        const entries = readdirSync(join(this.directory, name, folder), { recursive: true, withFileTypes: true })
        for (const entry of entries) {
          if (entry.isFile() && entry.name.startsWith(packId ?? '')) found.push(`${name}/${folder}/${entry.name}`)
        }
      }
    }
    return found
  }
}

function runManager(directory: string, { clock, timing }: ManagerSetup, listen: string): Promise<RunningManager> {
  const dataDirectory = join(directory, 'manager')
  // Orders ride on heartbeats, and tests wait for them.
  return startManager({ dataDirectory, listen, clock, logger, timing: { heartbeatIntervalMs: 50, ...timing } })
}

/** `bytes` in slices. `before` is waited for ahead of each, and is told how many bytes went before it. */
export async function* slicesOf(
  bytes: Uint8Array,
  { length = 65_536, before = () => undefined }: { length?: number; before?: (sent: number) => unknown } = {},
): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes.length; sent += length) {
    await before(sent)
    yield bytes.subarray(sent, sent + length)
  }
}
