import { TwofoldError, describeError } from '../../core/errors.ts'
import { gcPacksPerSlice, gcSnapshotsPerSlice, unusedPermilleDefault } from '../../core/limits.ts'
import type { PruneOptions, PruneState } from '../../core/admin-messages.ts'
import type { ManagerContext } from '../context.ts'
import { expireCheckpoints } from '../checkpoints.ts'
import { condemnPacks } from './condemn.ts'
import { deletePacks } from './delete-packs.ts'
import { expireTrash } from './expire-trash.ts'
import { LiveChunks } from './live-chunks.ts'
import { NeededPacks } from './needed-packs.ts'
import { newRun, noPrune } from './prune-run.ts'
import type { PruneRun } from './prune-run.ts'
import { addWeighed, planRepack } from './repack-plan.ts'
import { weighSlice } from './weigh.ts'

/** What a prune found to be worth moving. */
export interface FoundRepackable {
  readonly live: LiveChunks
  /** Rows of packs. */
  readonly packs: readonly number[]
}

/**
 * Gives back the space of what no snapshot needs, a bounded piece at a time. Whatever it finds is decided anew in the
 * transaction that acts on it, and is kept in the states of the packs; so it may end at any point, and another manager
 * goes on. Condemned packs are deleted as soon as they may be, whether or not somebody asked for a prune.
 */
export class PruneWorker {
  readonly #context: ManagerContext
  #runs = 0
  #run: PruneRun | undefined
  #last: PruneState = noPrune
  #repackable: FoundRepackable | undefined
  #busy = false

  constructor(context: ManagerContext) {
    this.#context = context
  }

  get state(): PruneState {
    return this.#run === undefined || this.#run.onlyDelete ? this.#last : this.#run.state
  }

  /** Begins a prune, unless one is running. */
  start(options: PruneOptions): PruneState {
    if (this.#run === undefined || this.#run.onlyDelete) {
      this.#runs += 1
      this.#repackable = undefined
      this.#run = newRun(this.#runs, options)
    }
    return this.state
  }

  /** @throws TwofoldError `failed-precondition` when no prune looked for it since the manager started */
  repackable(): FoundRepackable {
    if (this.#repackable !== undefined) return this.#repackable
    throw new TwofoldError('failed-precondition', 'the prune that listed packs to move is over; prune again')
  }

  /** One bounded piece. @returns whether there is more to do now. */
  async step(): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    try {
      return await this.#step()
    } catch (error) {
      // What was read in a transaction that came to nothing may never have been: nothing of it is kept.
      if (this.#run !== undefined && !this.#run.onlyDelete) {
        this.#last = { ...this.#run.state, phase: 'failed', problem: describeError(error) }
      }
      this.#run = undefined
      throw error
    } finally {
      this.#busy = false
    }
  }

  async #step(): Promise<boolean> {
    const problem = deletionHeld(this.#context)
    if (problem !== '') {
      if (this.#run !== undefined) this.#show({ phase: 'waiting', problem })
      if (this.#run?.onlyDelete === true) this.#run = undefined
      return false
    }
    const run = (this.#run ??= await this.#deletable())
    if (run === undefined) return false
    const phases = {
      waiting: async () => this.#begin(run),
      trash: () => this.#expire(run),
      marking: () => this.#mark(run),
      condemning: () => this.#condemn(run),
      deleting: () => this.#delete(run),
      walking: () => this.#walk(run),
      weighing: () => this.#weigh(run),
      done: async () => undefined,
      failed: async () => undefined,
    }
    await phases[run.state.phase]()
    return this.#run !== undefined
  }

  /** A run that deletes what was condemned, when there is some that may go now. */
  async #deletable(): Promise<PruneRun | undefined> {
    const due = await this.#context.catalogue.read(async (tx) => {
      return tx.packs.condemned((await tx.sessions.oldestOpen()) ?? Number.MAX_SAFE_INTEGER, 1)
    })
    const options = { dryRun: false, findRepackable: false, unusedPermilleMax: undefined }
    return due.length === 0 ? undefined : newRun(0, options, true)
  }

  #show(more: Partial<PruneState>): void {
    if (this.#run !== undefined) this.#run.state = { ...this.#run.state, ...more }
  }

  #begin(run: PruneRun): void {
    const nowMs = this.#context.time.nowMs()
    if (run.options.dryRun) run.countsAs = (row) => row.expiresAtMs === 0 || row.expiresAtMs > nowMs
    run.needed = new NeededPacks(run.countsAs)
    this.#show({ phase: run.options.dryRun ? 'marking' : 'trash', problem: '' })
  }

  async #expire(run: PruneRun): Promise<void> {
    const removed = await expireTrash(this.#context)
    this.#show({ snapshotsRemoved: run.state.snapshotsRemoved + removed })
    if (removed < gcSnapshotsPerSlice && !(await expireCheckpoints(this.#context))) this.#show({ phase: 'marking' })
  }

  async #mark(run: PruneRun): Promise<void> {
    if (await this.#context.catalogue.read((tx) => run.needed.readSlice(tx))) return
    if (run.options.dryRun) this.#show({ snapshotsRemoved: run.needed.passedOver })
    this.#show({ phase: run.onlyDelete ? 'deleting' : 'condemning' })
  }

  /** Looks at some packs; those that are not needed are condemned. */
  async #condemn(run: PruneRun): Promise<void> {
    const { catalogue } = this.#context
    const found = await catalogue.read(async (tx) => {
      const packs = await tx.packs.page(run.cursor, gcPacksPerSlice)
      const committed = packs.filter((pack) => pack.state === 'committed')
      const needed = await run.needed.among(
        tx,
        committed.map((pack) => pack.id),
      )
      return { last: packs.at(-1)?.id, idle: needed && committed.filter((pack) => !needed.has(pack.id)) }
    })
    if (found.idle === undefined) return this.#show({ phase: 'marking' })
    if (found.last === undefined) return this.#condemned(run)
    const condemned = run.options.dryRun
      ? { packs: found.idle.length, bytes: found.idle.reduce((sum, pack) => sum + pack.lengthBytes, 0) }
      : await this.#condemnAll(
          run,
          found.idle.map((pack) => pack.id),
        )
    if (condemned === undefined) return this.#show({ phase: 'marking' })
    run.cursor = found.last
    this.#show({
      done: found.last,
      packsCondemned: run.state.packsCondemned + condemned.packs,
      bytesCondemned: run.state.bytesCondemned + condemned.bytes,
    })
  }

  async #condemnAll(run: PruneRun, packs: readonly number[]): ReturnType<typeof condemnPacks> {
    return packs.length === 0 ? { packs: 0, bytes: 0 } : condemnPacks(this.#context, run.needed, packs)
  }

  async #condemned(run: PruneRun): Promise<void> {
    run.cursor = 0
    this.#show({ phase: run.options.dryRun ? 'walking' : 'deleting', done: 0 })
    if (run.options.dryRun && !run.options.findRepackable) await this.#finish(run)
  }

  async #delete(run: PruneRun): Promise<void> {
    const deleted = await deletePacks(this.#context, run.needed)
    if (deleted === undefined) return this.#show({ phase: 'marking' })
    this.#show({
      packsDeleted: run.state.packsDeleted + deleted.packs,
      bytesDeleted: run.state.bytesDeleted + deleted.bytes,
    })
    if (deleted.more) return
    const waiting = await this.#context.catalogue.read((tx) => tx.packs.condemnedTotal())
    this.#show({ packsWaiting: waiting.packs, bytesWaiting: waiting.lengthBytes })
    if (run.options.findRepackable) this.#show({ phase: 'walking' })
    else await this.#finish(run)
  }

  async #walk(run: PruneRun): Promise<void> {
    const live = (run.live ??= new LiveChunks(await this.#countChunks(), run.countsAs))
    if (!(await this.#context.catalogue.read((tx) => live.walkSlice(tx)))) this.#show({ phase: 'weighing' })
    else this.#show({ done: live.sequence })
  }

  async #countChunks(): Promise<number> {
    const vaults = await this.#context.catalogue.read((tx) => tx.vaults.all())
    return vaults.reduce((sum, vault) => sum + vault.chunks, 0)
  }

  async #weigh(run: PruneRun): Promise<void> {
    const { live } = run
    if (live === undefined) return this.#show({ phase: 'walking' })
    const { packs, last } = await this.#context.catalogue.read((tx) => weighSlice(tx, live, run.cursor))
    // What nothing is needed of was counted as condemned, when it is only asked what would be.
    const kept = packs.filter((pack) => !run.options.dryRun || pack.neededBytes > 0)
    for (const pack of kept) addWeighed(run.weighed, pack)
    if (last !== undefined) {
      run.cursor = last
      return this.#show({ done: last })
    }
    const plan = planRepack(run.weighed, run.options.unusedPermilleMax ?? unusedPermilleDefault)
    const { bytesToMove, bytesToFree, bytesUnused } = plan
    this.#show({ packsRepackable: plan.packs.length, bytesToMove, bytesToFree, bytesUnused })
    if (!run.options.dryRun) this.#repackable = { live, packs: plan.packs }
    await this.#finish(run)
  }

  async #finish(run: PruneRun): Promise<void> {
    this.#show({ phase: 'done', problem: '' })
    if (!run.onlyDelete) this.#last = run.state
    if (!run.onlyDelete && !run.options.dryRun) this.#context.damaged.pruned()
    this.#run = undefined
    const { snapshotsRemoved, packsCondemned, packsDeleted, bytesDeleted } = run.state
    if (run.options.dryRun || snapshotsRemoved + packsCondemned + packsDeleted === 0) return
    this.#context.logger.info('pruned', { snapshotsRemoved, packsCondemned, packsDeleted, bytesDeleted })
    const detail = `${snapshotsRemoved} snapshots removed, ${packsDeleted} packs with ${bytesDeleted} bytes deleted`
    const rest = { actor: 'manager', subject: '', result: 'ok', snapshotId: '', durationMs: 0 } as const
    const timeMs = this.#context.clock.nowMs()
    await this.#context.catalogue.write((tx) => tx.operations.add({ kind: 'prune', timeMs, detail, ...rest }))
  }
}

/** Why nothing may be expired, condemned or deleted now; empty when it may. */
export function deletionHeld(context: ManagerContext): string {
  if (context.members.safeMode()) return 'not all storage nodes have reported since the manager started'
  if (context.lineage.mayDelete) return ''
  return 'not all storage nodes have confirmed that this catalogue is the newest'
}
