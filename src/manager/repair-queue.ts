import { repairRescanMs } from '../core/limits.ts'
import { urgencies } from './repair-plan.ts'
import type { Urgency } from './repair-plan.ts'

export interface QueuedPack {
  /** Row of the pack. */
  readonly pack: number
  readonly lengthBytes: number
}

/** How much of a look each urgency gets at the least, so that a crowd that cannot be helped stops nobody. */
const shares: Readonly<Record<Urgency, number>> = {
  'last-copy': 0.55,
  short: 0.25,
  'same-domain': 0.1,
  surplus: 0.1,
}

/**
 * The packs that something is to be done about, the most urgent first. It is filled by going through the catalogue once
 * whenever copies went or nodes changed, and by those who notice a pack on their way. What it says of a pack is a hint:
 * whoever takes one looks at the catalogue again.
 */
export class RepairQueue {
  readonly #packs = new Map<Urgency, Map<number, number>>(urgencies.map((urgency) => [urgency, new Map()]))
  #builtFor = ''
  #version = -1
  #builtMs = -Infinity
  /** Row after which the scan goes on; undefined when none is in progress. */
  #cursor: number | undefined

  /** Where to go on reading the catalogue; undefined when there is no need to. */
  scanFrom(now: { readonly version: number; readonly nodes: string; readonly nowMs: number }): number | undefined {
    if (this.#cursor !== undefined) return this.#cursor
    const same = this.#version === now.version && this.#builtFor === now.nodes
    if (same && now.nowMs - this.#builtMs < repairRescanMs) return undefined
    for (const packs of this.#packs.values()) packs.clear()
    this.#version = now.version
    this.#builtFor = now.nodes
    this.#builtMs = now.nowMs
    this.#cursor = 0
    return 0
  }

  /** @param next row after which to go on; undefined at the end */
  scanned(next: number | undefined): void {
    this.#cursor = next
  }

  get scanning(): boolean {
    return this.#cursor !== undefined
  }

  /** Copies went, and whoever took them away has noted their packs: no reason to go through all others. */
  versionRaised(before: number, after: number): void {
    if (this.#version === before) this.#version = after
  }

  add(urgency: Urgency, { pack, lengthBytes }: QueuedPack): void {
    for (const packs of this.#packs.values()) packs.delete(pack)
    this.#packs.get(urgency)?.set(pack, lengthBytes)
  }

  /** Takes up to about `limit` packs out, the most urgent first. */
  take(limit: number): QueuedPack[] {
    const taken: QueuedPack[] = []
    let unused = 0
    for (const urgency of urgencies) {
      const packs = this.#packs.get(urgency) ?? new Map<number, number>()
      const most = Math.ceil(limit * shares[urgency]) + unused
      const before = taken.length
      for (const [pack, lengthBytes] of packs) {
        if (taken.length - before === most) break
        taken.push({ pack, lengthBytes })
        packs.delete(pack)
      }
      unused = most - (taken.length - before)
    }
    return taken
  }

  /** How many packs and bytes wait, of these urgencies. */
  total(of: readonly Urgency[]): { packs: number; bytes: number } {
    let packs = 0
    let bytes = 0
    for (const urgency of of) {
      for (const lengthBytes of this.#packs.get(urgency)?.values() ?? []) {
        packs += 1
        bytes += lengthBytes
      }
    }
    return { packs, bytes }
  }
}
