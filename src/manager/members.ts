import type { Clock } from '../core/clock.ts'
import type { NodeId, PackId } from '../core/ids.ts'
import type { Heartbeat } from '../core/messages.ts'
import type { NodeInfo, NodeState } from '../core/model.ts'
import type { NodeRow } from './catalogue-rows.ts'
import { copiesCount, isSafeMode, nodeState } from './membership.ts'
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
}

/** The nodes as they are now: what the catalogue knows of them, and what their heartbeats said since the start. */
export class Members {
  readonly #clock: Clock
  readonly #timing: ManagerTiming
  readonly #startedMs: number
  readonly #reservations = new Reservations()
  readonly #byId = new Map<NodeId, Member>()
  readonly #byRow = new Map<number, Member>()

  constructor(clock: Clock, timing: ManagerTiming, rows: readonly NodeRow[]) {
    this.#clock = clock
    this.#timing = timing
    this.#startedMs = clock.monotonicMs()
    for (const row of rows) this.registered(row)
  }

  /** A node's process is new to the manager, or is known already and its row changed. */
  registered(row: NodeRow): void {
    const known = this.#byId.get(row.ref.nodeId)
    if (known !== undefined && known.row.registrationNumber > row.registrationNumber) return
    if (known !== undefined && known.row.bootId === row.bootId) {
      known.row = row
      return
    }
    const member = { row, sinceMs: this.#clock.monotonicMs(), heardMs: undefined, heardAtMs: 0, report: undefined }
    this.#byId.set(row.ref.nodeId, member)
    this.#byRow.set(row.id, member)
  }

  /** Takes a heartbeat in, unless a newer one was there before. */
  heard(heartbeat: Heartbeat): void {
    const member = this.#byId.get(heartbeat.nodeId)
    if (member === undefined || heartbeat.sequence <= (member.report?.sequence ?? -1)) return
    member.report = heartbeat
    member.heardMs = this.#clock.monotonicMs()
    member.heardAtMs = this.#clock.nowMs()
    this.#reservations.heard(heartbeat.nodeId)
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

  settle(packId: PackId): void {
    this.#reservations.settle(packId)
  }

  /** All nodes in the order of their names. */
  infos(): NodeInfo[] {
    const infos = [...this.#byId.values()].map((member) => this.#info(member))
    return infos.sort((a, b) => (a.node.name < b.node.name ? -1 : a.node.name > b.node.name ? 1 : 0))
  }

  safeMode(): boolean {
    const presences = [...this.#byId.values()].map((member) => ({ ...member, admin: member.row.admin }))
    return isSafeMode(presences, this.#clock.monotonicMs() - this.#startedMs, this.#timing)
  }

  #stateOf(member: Member): NodeState {
    const presence = { admin: member.row.admin, sinceMs: member.sinceMs, heardMs: member.heardMs }
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
