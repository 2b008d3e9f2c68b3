import type { Clock } from '../../core/clock.ts'
import { TwofoldError } from '../../core/errors.ts'
import { randomHexId, toHex } from '../../core/ids.ts'
import type { ClusterId, NodeId } from '../../core/ids.ts'
import { heartbeatIntervalMs, nodeLeaseMs } from '../../core/limits.ts'
import type { Logger } from '../../core/logger.ts'
import type {
  Heartbeat,
  HeartbeatReply,
  LogReport,
  RecordsReport,
  RegisterRequest,
  Registration,
  Sender,
} from '../../core/messages.ts'
import type { Random } from '../../core/random.ts'
import { createSigner } from '../../format/signing.ts'
import type { Signer } from '../../format/signing.ts'
import type { ChainEnd } from '../../format/log-chain.ts'
import type { Catalogue } from '../catalogue.ts'
import type { NodeRow } from '../catalogue-rows.ts'
import { isSender } from '../registration.ts'
import { LogFacts } from './log-facts.ts'
import { PackIntake } from './pack-intake.ts'
import { rebuild } from './rebuild.ts'
import type { RecoverySummary } from './summary.ts'

export interface RecoveryDeps {
  /** An empty one, which becomes the catalogue. */
  readonly catalogue: Catalogue
  /** The older one, if there is one: its log and history count, its locations and sessions do not. */
  readonly older?: Catalogue | undefined
  /** Names or ids of nodes that are not waited for; a name that several of the absent ones had says nothing. */
  readonly without: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

interface Source {
  readonly row: NodeRow
  state: 'waiting' | 'reporting' | 'reported'
}

/**
 * Makes a lost catalogue again from what the nodes have: their copies of the log, and the records of their packs. It is
 * what nodes find at the manager's address meanwhile.
 */
export class Recovery {
  readonly #deps: RecoveryDeps
  readonly #sources = new Map<NodeId, Source>()
  readonly #facts = new LogFacts()
  readonly #intake: PackIntake
  readonly #ends: ChainEnd[] = []
  readonly #damaged: string[] = []
  readonly #signer: Signer
  #clusterId: ClusterId | undefined
  #epoch: number

  private constructor(deps: RecoveryDeps, found: { signer: Signer; clusterId: ClusterId | undefined; epoch: number }) {
    this.#deps = deps
    this.#intake = new PackIntake(deps, this.#facts)
    this.#signer = found.signer
    this.#clusterId = found.clusterId
    this.#epoch = found.epoch
  }

  static async open(deps: RecoveryDeps): Promise<Recovery> {
    const { catalogue, older, random } = deps
    const settings = await older?.read(async (tx) => ({
      clusterId: await tx.settings.get('cluster-id'),
      seed: await tx.settings.get('signing-seed'),
      epoch: Number(Buffer.from((await tx.settings.get('epoch')) ?? '0').toString()),
    }))
    const seed = settings?.seed ?? random.bytes(32)
    await catalogue.write((tx) => tx.settings.set('signing-seed', seed))
    const clusterId = settings?.clusterId === undefined ? undefined : Buffer.from(settings.clusterId).toString()
    const epoch = (settings?.epoch ?? 0) + 1
    const found = { signer: createSigner(seed), clusterId: clusterId as ClusterId | undefined, epoch }
    const recovery = new Recovery(deps, found)
    if (older !== undefined) await recovery.#takeOlder(older)
    return recovery
  }

  /** The log of an older catalogue counts like a node's, and so do the nodes that it knew. */
  async #takeOlder(older: Catalogue): Promise<void> {
    for (let sequence = 0; ;) {
      const from = sequence
      const rows = await older.read((tx) => tx.log.after(from, 1000))
      const last = rows.at(-1)
      if (last === undefined) break
      await this.#intake.takeLog(rows)
      sequence = last.sequence
    }
    const nodes = await older.read((tx) => tx.nodes.all())
    for (const { ref, admin } of nodes) if (admin !== 'removed') this.#facts.nodes.set(ref.nodeId, ref.name)
  }

  async register(request: RegisterRequest): Promise<Registration> {
    this.#requireCluster(request)
    const { catalogue, clock } = this.#deps
    this.#raiseEpoch(request)
    const known = await catalogue.read((tx) => tx.nodes.find(request.node.nodeId))
    const again = known?.bootId === request.bootId && known.ref.incarnation === request.node.incarnation
    const row = await catalogue.write((tx) =>
      tx.nodes.put({
        ref: request.node,
        bootId: request.bootId,
        bootNumber: request.bootNumber ?? 0,
        registrationNumber: (known?.registrationNumber ?? 0) + (again ? 0 : 1),
        capacityBytes: request.capacityBytes,
        usedBytes: request.usedBytes,
        publicKey: request.publicKey,
        putSequence: 0,
        admin: 'active',
        programVersion: request.programVersion,
      }),
    )
    const state = again ? (this.#sources.get(row.ref.nodeId)?.state ?? 'waiting') : 'waiting'
    this.#sources.set(row.ref.nodeId, { row, state })
    return {
      clusterId: request.clusterId as ClusterId,
      registrationNumber: row.registrationNumber,
      managerPublicKey: this.#signer.publicKey,
      heartbeatIntervalMs,
      leaseMs: nodeLeaseMs,
      managerTimeMs: Math.floor(clock.nowMs()),
      epoch: this.#epoch,
    }
  }

  #requireCluster({ clusterId, node }: RegisterRequest): void {
    if (clusterId === undefined) {
      const message = `node ${node.name} belongs to no cluster yet; start it again when the recovery is over`
      throw new TwofoldError('failed-precondition', message)
    }
    this.#clusterId ??= clusterId
    if (clusterId === this.#clusterId) return
    const message = `node ${node.name} belongs to cluster ${clusterId}, and ${this.#clusterId} is being recovered`
    throw new TwofoldError('failed-precondition', message)
  }

  /** Nodes obey no manager that is behind what they know. */
  #raiseEpoch({ log, witnessed }: LogReport): void {
    for (const position of [log, witnessed]) {
      if (position === undefined) continue
      this.#epoch = Math.max(this.#epoch, position.epoch + 1)
      this.#ends.push({ sequence: position.sequence, hash: position.hash })
    }
  }

  #source(from: Sender): Source {
    const source = this.#sources.get(from.nodeId)
    if (source !== undefined && isSender(from, source.row)) return source
    throw new TwofoldError('not-registered', 'the manager does not know this registration; register again')
  }

  async heartbeat(heartbeat: Heartbeat): Promise<HeartbeatReply> {
    const source = this.#source(heartbeat)
    this.#raiseEpoch(heartbeat)
    await this.#deps.clock.yield()
    const order = {
      orderId: `records-${heartbeat.nodeId}`,
      epoch: this.#epoch,
      action: { kind: 'send-records' },
    } as const
    return {
      leaseMs: nodeLeaseMs,
      managerTimeMs: Math.floor(this.#deps.clock.nowMs()),
      epoch: this.#epoch,
      orders: source.state === 'waiting' ? [order] : [],
      state: 'joining',
    }
  }

  async reportRecords(report: RecordsReport): Promise<void> {
    const source = this.#source(report)
    if (source.state !== 'waiting') return
    source.state = 'reporting'
    try {
      this.#raiseEpoch(report)
      for await (const part of report.parts) {
        if (part.kind === 'log') await this.#intake.takeLog(part.entries)
        else if (part.kind === 'pack') await this.#intake.takePack(source.row, part)
        else this.#damaged.push(`pack ${part.packId} on ${source.row.ref.name}: ${part.problem}`)
      }
      await this.#intake.requireWhole(source.row)
      source.state = 'reported'
    } finally {
      if (source.state === 'reporting') source.state = 'waiting'
    }
    this.#deps.logger.info('a node has reported', { node: source.row.ref.name, missing: this.missing.join(', ') })
  }

  /** Names of the nodes that have reported. */
  get reported(): string[] {
    return [...this.#sources.values()].flatMap(({ row, state }) => (state === 'reported' ? [row.ref.name] : [])).sort()
  }

  /**
   * Names of the nodes that must still report: all that registered, or that a log or the older catalogue names. Where
   * several had the same name, as one that was lost and the one in its place, their ids are with it.
   */
  get missing(): string[] {
    const { without } = this.#deps
    const absent = this.#absent()
    return absent.flatMap(([id, name]) => {
      const shared = absent.some(([other, otherName]) => other !== id && otherName === name)
      if (without.includes(id) || (!shared && without.includes(name))) return []
      return [shared ? `${name} (${id})` : name]
    })
  }

  #absent(): [string, string][] {
    const names = new Map(this.#facts.nodes)
    for (const { row } of this.#sources.values()) names.set(row.ref.nodeId, row.ref.name)
    const silent = [...names].filter(([id]) => this.#sources.get(id as NodeId)?.state !== 'reported')
    return silent.sort(([, a], [, b]) => (a < b ? -1 : 1))
  }

  /** Whether there is something to rebuild from, and everybody has said what they have. */
  get ready(): boolean {
    return this.reported.length > 0 && this.missing.length === 0
  }

  /** Makes the catalogue. To be called once, when it is `ready`. */
  finish(): Promise<RecoverySummary> {
    const lost = this.#absent()
    const clusterId = this.#clusterId ?? randomHexId<ClusterId>(this.#deps.random)
    return rebuild(this.#deps, this.#facts, {
      clusterId,
      epoch: Math.max(this.#epoch, this.#facts.epoch + 1),
      ends: distinct(this.#ends),
      held: lost.map(([id]) => id),
      lost: lost.map(([, name]) => name),
      damaged: this.#damaged,
      reported: this.reported,
    })
  }
}

function distinct(ends: readonly ChainEnd[]): ChainEnd[] {
  return [...new Map(ends.map((end) => [`${end.sequence} ${toHex(end.hash)}`, end])).values()]
}
