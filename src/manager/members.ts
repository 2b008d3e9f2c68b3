import type { Clock } from '../core/clock.ts'
import type { NodeId, PackId } from '../core/ids.ts'
import type { Heartbeat } from '../core/messages.ts'
import type { NodeInfo, NodeState } from '../core/model.ts'
import type { NodeRow } from './catalogue-rows.ts'
import { copiesCount, isSafeMode, mayDelete, nodeState } from './membership.ts'
import type { NodeStanding } from './node-standing.ts'
import { bytesLeft, domainOf } from './placement.ts'
import type { Candidate } from './placement.ts'
import { Reservations } from './reservations.ts'
import type { ManagerTiming } from './timing.ts'

interface Member {
  row: NodeRow
  sinceMs: number
  heardMs: number | undefined
  /** Wall clock, for people. */
  heardAtMs: number
  /** The newest heartbeat of this process of the node. */
  report: Heartbeat | undefined
  /** Whether its list of packs was taken in since. */
  reported: boolean
}

/** The nodes as they are now: what the catalogue knows of them, and what their heartbeats said since the start. */
export class Members {
  readonly #clock: Clock
  readonly #timing: ManagerTiming
  readonly #startedMs: number
  readonly #reservations = new Reservations()
  readonly #byId = new Map<NodeId, Member>()
  readonly #byRow = new Map<number, Member>()
  /** The nodes that were known at the start and have not told since then what they hold. */
  readonly #awaited: Set<NodeId>

  constructor(clock: Clock, timing: ManagerTiming, rows: readonly NodeRow[]) {
    this.#clock = clock
    this.#timing = timing
    this.#startedMs = clock.monotonicMs()
    for (const row of rows) this.registered(row)
    this.#awaited = new Set(rows.map((row) => row.ref.nodeId))
  }

  /** A node's process is new to the manager, or is known already and its row changed. */
  registered(row: NodeRow): void {
    const known = this.#byId.get(row.ref.nodeId)
    if (known !== undefined && known.row.registrationNumber > row.registrationNumber) return
    if (known !== undefined && known.row.bootId === row.bootId) {
      known.row = row
      return
    }
    const sinceMs = this.#clock.monotonicMs()
    const member = { row, sinceMs, heardMs: undefined, heardAtMs: 0, report: undefined, reported: false }
    this.#byId.set(row.ref.nodeId, member)
    this.#byRow.set(row.id, member)
  }

  /** Takes a heartbeat in, unless a newer one was there before. @returns whether it did. */
  heard(heartbeat: Heartbeat): boolean {
    const member = this.#byId.get(heartbeat.nodeId)
    if (member === undefined || heartbeat.sequence <= (member.report?.sequence ?? -1)) return false
    // Who was given up for dead may have been ordered things that it never heard of; its list tells.
    if (this.#stateOf(member) === 'dead') member.reported = false
    member.report = heartbeat
    member.heardMs = this.#clock.monotonicMs()
    member.heardAtMs = this.#clock.nowMs()
    this.#reservations.heard(heartbeat.nodeId)
    return true
  }

  /** The node's list of packs was taken in. */
  tookInventory(nodeId: NodeId): void {
    const member = this.#byId.get(nodeId)
    if (member !== undefined) member.reported = true
    this.#awaited.delete(nodeId)
  }

  reported(nodeId: NodeId): boolean {
    return this.#byId.get(nodeId)?.reported ?? false
  }

  /** All nodes as repair sees them, by their rows. */
  standings(): Map<number, NodeStanding> {
    const standings = new Map<number, NodeStanding>()
    for (const candidate of this.candidates()) {
      const member = this.#byId.get(candidate.nodeId)
      if (member === undefined) continue
      const { row, report, reported } = member
      const capacityBytes = report?.capacityBytes ?? row.capacityBytes
      const usedBytes = report?.usedBytes ?? row.usedBytes
      standings.set(row.id, {
        ...candidate,
        node: row.id,
        ref: row.ref,
        domain: domainOf(candidate),
        storeFailed: report?.storeFailed ?? false,
        keeps: row.admin === 'active' && report?.storeFailed !== true,
        reported,
        leftBytes: bytesLeft(candidate),
        capacityBytes,
        usedBytes,
      })
    }
    return standings
  }

  /** Whether anything may be deleted now. @param reporting a node whose list is being taken in */
  mayDelete(reporting?: NodeId): boolean {
    const witnesses = [...this.#byId].map(([nodeId, member]) => {
      return { state: this.#stateOf(member), reported: member.reported || nodeId === reporting }
    })
    return mayDelete(witnesses)
  }

  /** Whether packs are on their way to the node. */
  receiving(nodeId: NodeId): boolean {
    return this.#reservations.inFlight(nodeId) > 0
  }

  find(nodeId: NodeId): NodeRow | undefined {
    return this.#byId.get(nodeId)?.row
  }

  byRow(id: number): NodeRow | undefined {
    return this.#byRow.get(id)?.row
  }

  /** @returns how long ago the node's present process was last heard of, in milliseconds; undefined for never. */
  silentMs(nodeId: NodeId): number | undefined {
    const heardMs = this.#byId.get(nodeId)?.heardMs
    return heardMs === undefined ? undefined : this.#clock.monotonicMs() - heardMs
  }

  state(nodeId: NodeId): NodeState {
    const member = this.#byId.get(nodeId)
    return member === undefined ? 'removed' : this.#stateOf(member)
  }

  stateOfRow(id: number): NodeState {
    const member = this.#byRow.get(id)
    return member === undefined ? 'removed' : this.#stateOf(member)
  }

  isRemoved(row: number): boolean {
    return this.byRow(row)?.admin === 'removed'
  }

  /** Rows of the nodes that were not removed. */
  present(): number[] {
    return this.rows().flatMap(({ id, admin }) => (admin === 'removed' ? [] : [id]))
  }

  /** Rows of the nodes that should record what they are told: neither dead nor emptied, nor with a bad disk. */
  recording(): number[] {
    const states: readonly NodeState[] = ['joining', 'up', 'suspect']
    return [...this.#byRow].flatMap(([id, member]) => (states.includes(this.#stateOf(member)) ? [id] : []))
  }

  /** Rows of the nodes whose copies count, in their order. */
  counted(): number[] {
    const rows = [...this.#byRow].filter(([, member]) => copiesCount(this.#stateOf(member))).map(([id]) => id)
    return rows.sort((a, b) => a - b)
  }

  candidates(): Candidate[] {
    return [...this.#byId.values()].map((member) => ({
      nodeId: member.row.ref.nodeId,
      failureDomain: member.row.ref.failureDomain,
      state: this.#stateOf(member),
      writable: member.report?.writable ?? false,
      freeBytes: member.report?.freeBytes ?? 0,
      reservedBytes: this.#reservations.bytes(member.row.ref.nodeId),
    }))
  }

  hold(packId: PackId, lengthBytes: number, nodes: readonly NodeId[]): void {
    this.#reservations.hold(packId, lengthBytes, nodes)
  }

  /** The packs that have room reserved and are not settled. */
  awaitedPacks(): PackId[] {
    return this.#reservations.open
  }

  settle(packId: PackId): void {
    this.#reservations.settle(packId)
  }

  /** All nodes in the order of their names. */
  infos(): NodeInfo[] {
    const infos = [...this.#byId.values()].map((member) => this.#info(member))
    return infos.sort((a, b) => (a.node.name < b.node.name ? -1 : a.node.name > b.node.name ? 1 : 0))
  }

  rows(): NodeRow[] {
    return [...this.#byId.values()].map(({ row }) => row)
  }

  safeMode(): boolean {
    if (this.#awaited.size === 0) return false
    const nodes = [...this.#byId.values()].map(({ row }) => {
      return { admin: row.admin, reported: !this.#awaited.has(row.ref.nodeId) }
    })
    return isSafeMode(nodes, this.#clock.monotonicMs() - this.#startedMs, this.#timing)
  }

  #stateOf(member: Member): NodeState {
    const { row, sinceMs, heardMs, report } = member
    const presence = { admin: row.admin, sinceMs, heardMs, storeFailed: report?.storeFailed ?? false }
    return nodeState(presence, this.#clock.monotonicMs(), this.#timing)
  }

  #info(member: Member): NodeInfo {
    const { row, report } = member
    return {
      node: row.ref,
      state: this.#stateOf(member),
      capacityBytes: report?.capacityBytes ?? row.capacityBytes,
      usedBytes: report?.usedBytes ?? row.usedBytes,
      freeBytes: report?.freeBytes ?? 0,
      reservedBytes: this.#reservations.inFlight(row.ref.nodeId),
      packs: report?.packs ?? 0,
      lastHeartbeatMs: member.heardAtMs,
      uploads: report?.uploads ?? 0,
      writable: report?.writable ?? false,
      problem: report?.problem ?? '',
      programVersion: row.programVersion,
    }
  }
}
