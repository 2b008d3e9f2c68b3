import { TwofoldError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import type { LogReport } from '../core/messages.ts'
import type { LineageState, LogPosition } from '../core/model.ts'
import { sameHash, samePosition } from '../format/log-chain.ts'
import type { ChainEnd } from '../format/log-chain.ts'
import type { NodeRow } from './catalogue-rows.ts'
import type { LogFeed } from './log-feed.ts'
import type { Newcomers } from './newcomers.ts'

export interface LineageOptions {
  readonly feed: LogFeed
  readonly epoch: number
  /** Which start of a manager this is: 32 hexadecimal digits. */
  readonly life: string
  /** Rows of the nodes that the catalogue knew at the start, without removed ones. */
  readonly expected: readonly number[]
  /** Whether the log begins with this start, so that nobody can know more. */
  readonly fresh: boolean
  /** The smallest and the largest number of nodes that a vault wants before a commit is acknowledged. */
  readonly minCopies: { readonly least: number; readonly most: number }
  /** Ends of other logs that a recovery took in. */
  readonly forgiven: readonly ChainEnd[]
  /** Nodes that a recovery went on without: nothing is deleted before they have reported. */
  readonly held: readonly string[]
  /** What an earlier start found out; empty when nothing. */
  readonly rolledBack: string
  /** Nodes whose word does not count yet. */
  readonly newcomers: Newcomers
  readonly surroundings: Surroundings
}

/** The nodes as they are now, by their rows. */
export interface Surroundings {
  isRemoved(node: number): boolean
  /** All that were not removed. */
  present(): readonly number[]
  /** All that are expected to record what they are told. */
  recording(): readonly number[]
}

/** What a node's log says of this catalogue. */
export interface Hearing {
  /** Whether it may follow this life of the manager: everything that it knows is on our chain. */
  readonly agrees: boolean
  /** The entry after which its log is to be continued. */
  readonly from: number
  /** Set when the node is the first to contradict. */
  readonly discovered: string | undefined
}

/**
 * Whether this catalogue is the newest one. A commit is acknowledged, and a deletion ordered, only after `min copies`
 * nodes have recorded it; so when at most `min copies - 1` nodes are silent, one that knows the newest has spoken. A
 * node that knows anything that is not on our chain proves that the catalogue is an older copy.
 */
export class Lineage {
  readonly #options: LineageOptions
  /** How far the log of each node is, of those that agree; 0 for a node whose log is empty. */
  readonly #logs = new Map<number, number>()
  /** What each of those said last whose log is on our chain, or empty. */
  readonly #reports = new Map<number, LogReport>()
  /** Nodes of before the start that agree. A store that knows nothing is no evidence. */
  readonly #reported = new Set<number>()
  readonly #held: Set<string>
  readonly #lost = new Set<string>()
  #verified = false
  /** Whether a log has grown, or a node has come, since newcomers were looked at: a removal is in the log as well. */
  #moved = true
  #contradiction: string

  constructor(options: LineageOptions) {
    this.#options = options
    this.#held = new Set(options.held)
    this.#contradiction = options.rolledBack
  }

  get life(): string {
    return this.#options.life
  }

  get state(): LineageState {
    if (this.#contradiction !== '') return 'rolled-back'
    if (this.#verified) return 'verified'
    const { expected, fresh, minCopies } = this.#options
    this.#verified =
      fresh || expected.length === 0 || (this.#reported.size > 0 && this.#silent().length < minCopies.least)
    return this.#verified ? 'verified' : 'unverified'
  }

  #silent(): number[] {
    const { expected, surroundings } = this.#options
    return expected.filter((node) => !this.#reported.has(node) && !surroundings.isRemoved(node))
  }

  /** What is missing or wrong, in words; empty when it is verified. */
  get problem(): string {
    if (this.#contradiction !== '') return this.#contradiction
    if (this.state === 'verified') return this.#holdText()
    const lost = this.#lost.size === 0 ? '' : `; ${[...this.#lost].join(', ')} came back without a log`
    return `${this.#silent().length} nodes have not yet said how far the log is${lost}`
  }

  #holdText(): string {
    if (this.#held.size === 0) return ''
    const problem = `${this.#held.size} nodes that the last recovery went on without have not come back`
    return `${problem}: nothing is deleted until they do, or "twofold node remove" takes them out for good`
  }

  /** Whether anything may be deleted, condemned, ended or given up by the manager itself. */
  get mayDelete(): boolean {
    return this.state === 'verified' && this.#held.size === 0
  }

  /** @throws TwofoldError `failed-precondition` when the catalogue is an older copy. */
  requireWritable(): void {
    if (this.#contradiction === '') return
    throw new TwofoldError(
      'failed-precondition',
      `the manager's catalogue is an older copy: ${this.#contradiction}. Nothing is changed or deleted, restores ` +
        'work. Stop this manager, make the catalogue again with "twofold manager recover --from-nodes", and start it',
    )
  }

  /**
   * The answer to a node that says the same as the last time, undefined to any other. What was on our chain stays
   * there, so `hear` would look at everything again and change nothing.
   */
  heardBefore(node: NodeRow, { log, witnessed }: LogReport): Hearing | undefined {
    const from = this.#logs.get(node.id)
    const last = this.#reports.get(node.id)
    if (from === undefined || last === undefined) return undefined
    if (!samePosition(last.log, log) || !samePosition(last.witnessed, witnessed)) return undefined
    return { agrees: true, from, discovered: undefined }
  }

  /** Takes in what a node says of its log, when it registers and with every heartbeat. */
  async hear(node: NodeRow, { log, witnessed }: LogReport): Promise<Hearing> {
    const agreesAt = await this.#onChain(log)
    const contradiction = await this.#contradictionOf(node, [log, witnessed])
    if (contradiction !== undefined) {
      this.#logs.delete(node.id)
      this.#reports.delete(node.id)
      this.#reported.delete(node.id)
      const discovered = this.#contradiction === '' ? contradiction : undefined
      this.#contradiction ||= contradiction
      return { agrees: false, from: 0, discovered }
    }
    const from = agreesAt && log !== undefined ? log.sequence : 0
    if (this.#logs.get(node.id) !== from) this.#moved = true
    this.#logs.set(node.id, from)
    if (agreesAt) this.#reports.set(node.id, { log: copyOf(log), witnessed: copyOf(witnessed) })
    else this.#reports.delete(node.id)
    if (witnessed !== undefined) this.#reported.add(node.id)
    else if (this.#options.expected.includes(node.id) && this.state === 'unverified') this.#lost.add(node.ref.name)
    return { agrees: true, from, discovered: undefined }
  }

  /** A complete list of a node's packs was taken in; `unknown` of them the catalogue has never heard of. */
  inventoryTaken(node: NodeRow, unknown: number): string | undefined {
    if (unknown === 0) {
      this.#held.delete(node.ref.nodeId)
      return undefined
    }
    const text = `node ${node.ref.name} has ${unknown} packs that the catalogue has never heard of`
    if (!this.#held.has(node.ref.nodeId) || this.#contradiction !== '') return undefined
    this.#contradiction = text
    return text
  }

  /** Somebody has taken a node out for good: it is not waited for any more. */
  release(node: NodeId): void {
    this.#held.delete(node)
  }

  /** Nodes that a recovery went on without and that have not come back. */
  get held(): readonly string[] {
    return [...this.#held]
  }

  /** How many nodes must know of something before it counts as never to be forgotten. */
  get witnessesWanted(): number {
    return this.#options.minCopies.most
  }

  /** A node has joined with this entry of the log. */
  joined(node: number, sequence: number): void {
    this.#options.newcomers.add(node, sequence)
    this.#moved = true
  }

  /** @returns rows of the nodes whose word counts from now on */
  settleNewcomers(): readonly number[] {
    const { newcomers, surroundings, minCopies } = this.#options
    if (newcomers.size === 0 || !this.#moved) return []
    this.#moved = false
    return newcomers.settle({ nodes: surroundings.present(), logs: this.#logs, wanted: minCopies.most })
  }

  /**
   * How many nodes must record a commit so that `minCopies` of them count. When too many of those whose word counts are
   * dead or fail, the others' does all the same: else nothing could be saved until somebody takes those out.
   */
  witnessesFor(minCopies: number): number {
    return minCopies + (this.#enoughSeniors() ? this.#options.newcomers.size : 0)
  }

  #enoughSeniors(): boolean {
    const { newcomers, surroundings, minCopies } = this.#options
    return surroundings.recording().filter((node) => !newcomers.has(node)).length >= minCopies.most
  }

  /** Whether enough nodes have the log up to this entry, so that what it says cannot be forgotten any more. */
  witnessed(sequence: number): boolean {
    return this.#recorders(sequence).filter((node) => !this.#options.newcomers.has(node)).length >= this.witnessesWanted
  }

  /** How many nodes have the log up to this entry, of those whose word counts. */
  recordedBy(sequence: number): number {
    const { newcomers } = this.#options
    const exacting = this.#enoughSeniors()
    return this.#recorders(sequence).filter((node) => !exacting || !newcomers.has(node)).length
  }

  #recorders(sequence: number): number[] {
    const { surroundings } = this.#options
    return [...this.#logs].flatMap(([node, at]) => (at < sequence || surroundings.isRemoved(node) ? [] : [node]))
  }

  /** Whether an order that destroys something, and rests on this entry of the log (0 for none), may go to a node. */
  mayDestroy(node: number, sequence: number): boolean {
    if (this.state !== 'verified' || !this.#logs.has(node)) return false
    // A node that carried a deletion out knows of it, so its own word is enough to recognise an older catalogue.
    return sequence === 0 || (this.witnessed(sequence) && (this.#logs.get(node) ?? 0) >= sequence)
  }

  async #onChain(position: LogPosition | undefined): Promise<boolean> {
    if (position === undefined) return true
    const hash = await this.#options.feed.hashAt(position.sequence)
    return hash !== undefined && sameHash(hash, position.hash)
  }

  async #contradictionOf(node: NodeRow, positions: readonly (LogPosition | undefined)[]): Promise<string | undefined> {
    for (const position of positions) {
      if (position === undefined || this.#isForgiven(position)) continue
      if (!(await this.#onChain(position))) {
        const end = (await this.#options.feed.head())?.sequence ?? 0
        const how = position.sequence > end ? `and the catalogue ends at ${end}` : 'and the catalogue has another one'
        return `node ${node.ref.name} knows entry ${position.sequence} of the log, ${how}`
      }
      if (position.epoch > this.#options.epoch) {
        return `node ${node.ref.name} has heard from epoch ${position.epoch}, and this is ${this.#options.epoch}`
      }
    }
    return undefined
  }

  #isForgiven({ sequence, hash }: LogPosition): boolean {
    return this.#options.forgiven.some((end) => end.sequence === sequence && sameHash(end.hash, hash))
  }
}

/** The bytes of a message are part of a larger buffer, which would stay with them. */
function copyOf(position: LogPosition | undefined): LogPosition | undefined {
  return position === undefined ? undefined : { ...position, hash: Uint8Array.from(position.hash) }
}
