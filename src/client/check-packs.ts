import type { ListedPack } from '../core/check-messages.ts'
import { checkedCopiesInFlight, checkedCopiesPerNode } from '../core/limits.ts'
import type { CallOptions, NodeRef, PackCopy } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import { Semaphore } from '../core/semaphore.ts'
import type { Codec } from '../format/codec.ts'
import type { AdminApi } from './admin-api.ts'
import type { BadCopyReports } from './bad-copy-reports.ts'
import { checkCopy } from './check-copy.ts'
import type { CopyVerdict } from './check-copy.ts'
import type { CheckEvent, ReadSubset } from './check-request.ts'
import { mapUnordered } from './map-unordered.ts'
import { allPages } from './paged.ts'
import type { StorageApi } from './storage-api.ts'

export interface CheckPacksDeps {
  readonly admin: AdminApi
  readonly storage: StorageApi
  readonly codec: Codec
  readonly random: Random
  readonly reports: Pick<BadCopyReports, 'tell'>
}

export interface PackTotals {
  packs: number
  packsDegraded: number
  packsLost: number
  copiesRead: number
  bytesRead: number
  copiesBad: number
  copiesUnreachable: number
}

interface Judged {
  readonly pack: ListedPack
  /** Copies on nodes that are not dead that are good, as far as is known. */
  readonly sound: number
  readonly totals: Partial<PackTotals>
  readonly events: readonly CheckEvent[]
}

/** Looks at all packs and their copies, and has those of the subset read. Yields the ids of lost packs. */
export class PackCheck {
  readonly #deps: CheckPacksDeps
  readonly #subset: ReadSubset | undefined
  readonly #nodes = new Map<string, Semaphore>()
  readonly totals: PackTotals = {
    ...{ packs: 0, packsDegraded: 0, packsLost: 0 },
    ...{ copiesRead: 0, bytesRead: 0, copiesBad: 0, copiesUnreachable: 0 },
  }

  constructor(deps: CheckPacksDeps, subset: ReadSubset | undefined) {
    this.#deps = deps
    this.#subset = subset
  }

  async *run(onEvent: (event: CheckEvent) => void, options: CallOptions): AsyncGenerator<ListedPack['packId']> {
    const withSample = this.#subset !== undefined
    const packs = allPages((page) => this.#deps.admin.listPacks({ ...page, withSample }, options))
    const judged = mapUnordered(packs, checkedCopiesInFlight, (pack) => this.#judge(pack, options))
    for await (const { pack, sound, totals, events } of judged) {
      for (const event of events) onEvent(event)
      for (const [key, value] of Object.entries(totals)) this.totals[key as keyof PackTotals] += value
      this.totals.packs += 1
      onEvent({ type: 'progress', phase: 'packs', done: this.totals.packs, total: 0 })
      if (sound >= pack.copiesWanted) continue
      onEvent({ type: 'pack', packId: pack.packId, copies: sound, copiesWanted: pack.copiesWanted })
      this.totals[sound === 0 ? 'packsLost' : 'packsDegraded'] += 1
      if (sound === 0) yield pack.packId
    }
  }

  async #judge(pack: ListedPack, options: CallOptions): Promise<Judged> {
    const copies = pack.copies.filter(({ state }) => state !== 'dead' && state !== 'removed')
    if (!this.#isChosen(pack.packId)) return { pack, sound: copies.length, totals: {}, events: [] }
    const verdicts = await Promise.all(copies.map((copy) => this.#check(pack, copy, options)))
    const count = (wanted: CopyVerdict['verdict']): number =>
      verdicts.filter(({ verdict }) => verdict === wanted).length
    const events = verdicts.flatMap(({ verdict, problem }, at): CheckEvent[] => {
      const { node } = copies[at] as PackCopy
      return verdict === 'good' ? [] : [{ type: 'copy', packId: pack.packId, node, verdict, problem }]
    })
    const bytesRead = verdicts.reduce((sum, verdict) => sum + verdict.bytesRead, 0)
    const copiesRead = verdicts.filter((verdict) => verdict.bytesRead > 0).length
    const totals = { copiesRead, bytesRead, copiesBad: count('bad'), copiesUnreachable: count('unreachable') }
    return { pack, sound: copies.length - count('bad'), totals, events }
  }

  async #check(pack: ListedPack, { node }: PackCopy, options: CallOptions): Promise<CopyVerdict> {
    const turn = this.#turnOf(node)
    const verdict = await turn.run(() => checkCopy(this.#deps, { pack, node }, options), options.signal)
    if (verdict.verdict === 'bad' && !verdict.foundByNode) {
      await this.#deps.reports.tell({ packId: pack.packId, nodeId: node.nodeId, problem: verdict.problem })
    }
    return verdict
  }

  #turnOf({ nodeId }: NodeRef): Semaphore {
    const turn = this.#nodes.get(nodeId) ?? new Semaphore(checkedCopiesPerNode)
    this.#nodes.set(nodeId, turn)
    return turn
  }

  #isChosen(packId: string): boolean {
    const subset = this.#subset
    if (subset === undefined) return false
    if (subset.kind === 'percent') return 100 * this.#deps.random.fraction() < subset.percent
    return subset.kind === 'all' || partOf(packId, subset.parts) === subset.number
  }
}

/** Which of so many parts a pack is in, from 1 on: always the same one, since its id is random and stays. */
export function partOf(packId: string, parts: number): number {
  return (Number.parseInt(packId.slice(0, 12), 16) % parts) + 1
}
