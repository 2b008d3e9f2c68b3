import { expect } from 'chai'
import { isTwofoldError } from '../../../../src/core/errors.ts'
import type { PackId, SnapshotId } from '../../../../src/core/ids.ts'
import type { Session } from '../../../../src/core/messages.ts'
import { PaperCluster, chunk } from '../cluster-fixture.ts'
import { checkInvariants, prune, repack, saveCheckpoint, sweepAll, uploadTrusting } from './gc-fixture.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

interface Running {
  readonly session: Session
  /** What look-ups said is there. */
  readonly trusted: Set<string>
}

/** Backups, forgetting, prunes, movers and restarts in a random order, some of them at the same time. */
class RandomRun {
  readonly cluster: PaperCluster
  readonly snapshots = new Set<SnapshotId>()
  readonly counts = { commits: 0, checkpoints: 0, refusals: 0, deleted: 0, finished: 0 }
  #running: Running[] = []
  #number = 0

  constructor(cluster: PaperCluster) {
    this.cluster = cluster
  }

  async turn(): Promise<void> {
    // A process that ends answers nobody any more, so this never happens beside something else.
    if (this.#chance(0.02)) await this.#restart()
    const together = this.#chance(0.5) ? 1 : 3
    const steps = Array.from({ length: together }, () => this.#pick(this.#steps()))
    const outcomes = await Promise.allSettled(steps.map(async (step) => step?.()))
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      const error: unknown = outcome.reason
      // Refusals are part of the game; anything that is not one is a defect.
      if (!isTwofoldError(error) || error.code === 'internal' || error.code === 'integrity') throw error
      this.counts.refusals += 1
    }
  }

  #steps(): (() => Promise<unknown>)[] {
    const { manager } = this.cluster
    const sweep = async (): Promise<void> => {
      for (let left = 12; left > 0 && (await manager.sweep()); left--);
    }
    return [
      ...[() => this.#begin(), () => this.#begin(), () => this.#look(), () => this.#look(), () => this.#look()],
      ...[() => this.#commit(), () => this.#commit(), () => this.#commit(), () => this.#commit()],
      ...[() => this.#save(), () => this.#save()],
      ...[() => this.#store(), () => this.#end(), () => this.#forget(), () => this.#forget(), () => this.#undelete()],
      ...[() => this.#startPrune(), () => this.#startPrune(), sweep, sweep, sweep, sweep, sweep, sweep],
      ...[() => this.#move(), () => this.#move(), () => this.#wait(), () => this.#weaken()],
    ]
  }

  #chance(share: number): boolean {
    return this.cluster.random.fraction() < share
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.cluster.random.fraction() * from.length)]
  }

  #some(): string[] {
    const chosen = names.filter(() => this.#chance(0.4))
    return chosen.length === 0 ? ['a'] : chosen
  }

  async #begin(): Promise<void> {
    if (this.#running.length > 3) return
    const session = await this.cluster.begin({ host: `host${this.#number++ % 3}` })
    this.#running.push({ session, trusted: new Set() })
  }

  async #look(): Promise<void> {
    const running = this.#pick(this.#running)
    if (running === undefined) return
    const present = await this.cluster.manager.lookupChunks(
      running.session,
      names.map((name) => chunk(name).chunkId),
    )
    for (const [index, name] of names.entries()) if (present[index] === true) running.trusted.add(name)
  }

  async #store(): Promise<void> {
    const running = this.#pick(this.#running)
    const name = this.#pick(names)
    if (running === undefined || name === undefined) return
    await this.cluster.store(running.session, [chunk(name)])
    running.trusted.add(name)
  }

  /** A client that sends nothing of what a look-up of this session ever said is there. */
  async #commit(): Promise<void> {
    const running = this.#pick(this.#running)
    if (running === undefined) return
    this.#running = this.#running.filter((other) => other !== running)
    const { session, trusted } = running
    const wanted = this.#some()
    const missing = wanted.filter((name) => !trusted.has(name))
    if (missing.length > 0) await this.cluster.store(session, missing.map(chunk))
    const draft = await uploadTrusting(this.cluster, session, ...wanted)
    const { snapshotId } = await this.cluster.manager.commitSnapshot(draft)
    this.snapshots.add(snapshotId)
    this.counts.commits += 1
  }

  /** The same client says how far it is, and goes on. */
  async #save(): Promise<void> {
    const running = this.#pick(this.#running)
    if (running === undefined) return
    const { session, trusted } = running
    await saveCheckpoint(this.cluster, session, ...this.#some().filter((name) => trusted.has(name)))
    this.counts.checkpoints += 1
  }

  async #end(): Promise<void> {
    const running = this.#pick(this.#running)
    if (running === undefined || this.#chance(0.5)) return
    this.#running = this.#running.filter((other) => other !== running)
    await this.cluster.manager.endSession(running.session, 'random')
  }

  async #forget(): Promise<void> {
    const id = this.#pick([...this.snapshots])
    if (id === undefined) return
    const now = this.#chance(0.7)
    await this.cluster.manager.admin.forgetSnapshots({ vault: '', snapshotIds: [id], now, actor: 'random' })
    this.snapshots.delete(id)
    if (!now && this.#chance(0.5)) this.#trash.push(id)
  }

  readonly #trash: SnapshotId[] = []

  async #undelete(): Promise<void> {
    const id = this.#trash.pop()
    if (id === undefined) return
    await this.cluster.manager.admin.undeleteSnapshots({ vault: '', snapshotIds: [id], actor: 'random' })
    this.snapshots.add(id)
  }

  async #startPrune(): Promise<void> {
    const findRepackable = this.#chance(0.7)
    await this.cluster.manager.admin.prune({ dryRun: this.#chance(0.1), findRepackable, unusedPermilleMax: 0 })
  }

  async #move(): Promise<void> {
    const dies = this.#chance(0.2)
    const { finished } = await repack(this.cluster, {
      move: () => this.#chance(0.8),
      beforeFinish: async () => {
        await this.cluster.clock.yield()
        if (dies) throw new Error('killed')
      },
    }).catch((error: unknown) => {
      if (isTwofoldError(error)) throw error
      return { finished: [] as readonly PackId[] }
    })
    this.counts.finished += finished.length
  }

  async #wait(): Promise<void> {
    this.cluster.clock.advance(this.#pick([10, 1000, 20_000, 61_000]) ?? 0)
    for (const { session } of this.#running) {
      if (this.#chance(0.9)) await this.cluster.manager.renewSession(session).catch(() => undefined)
    }
    await this.cluster.heartbeatAll()
    await this.cluster.manager.sweep()
  }

  /** A node stays away until its copies do not count, and comes back. */
  async #weaken(): Promise<void> {
    if (this.#chance(0.6)) return
    const away = this.cluster.nodes.filter(() => this.#chance(0.3)).slice(0, 2)
    this.cluster.clock.advance(700_000)
    await this.cluster.heartbeatAll(away)
    await this.#begin()
    await this.#commit()
    await this.cluster.heartbeatAll()
  }

  async #restart(): Promise<void> {
    await this.cluster.open()
    await this.cluster.settleAll()
  }

  /** Everybody stops: then nothing is left but what snapshots need. */
  async settle(): Promise<void> {
    const { cluster } = this
    await cluster.settleAll()
    cluster.clock.advance(61_000)
    await cluster.settleAll()
    await sweepAll(cluster)
    for (let round = 0; round < 3; round++) {
      await prune(cluster, { findRepackable: true, unusedPermilleMax: 0 })
      await repack(cluster)
      await prune(cluster)
    }
    const states = (await cluster.catalogue.read((tx) => tx.packs.page(0, 10_000))).map(({ state }) => state)
    this.counts.deleted = states.filter((state) => state === 'deleted').length
    expect(states, 'packs in the end').not.to.include.members(['condemned'])
    const removedAll = this.snapshots.size === 0 && (await this.#inTrash()) === 0
    if (removedAll) expect(states).not.to.include('committed')
  }

  async #inTrash(): Promise<number> {
    return this.cluster.catalogue.read(async (tx) => {
      return (await tx.snapshots.sets(0, 10_000)).length + (await tx.checkpoints.sets(0, 10_000)).length
    })
  }
}

describe('random runs of garbage collection', () => {
  const total = { commits: 0, checkpoints: 0, refusals: 0, deleted: 0, finished: 0 }

  const first = Number(process.env['FIRST'] ?? 1)
  const seeds = Number(process.env['SEEDS'] ?? 40)
  for (let seed = first; seed < first + seeds; seed++) {
    it(`lose nothing that a snapshot needs, seed ${seed}`, async () => {
      const run = new RandomRun(await PaperCluster.start(4, { seed }))
      for (let turn = 0; turn < 150; turn++) {
        await run.turn()
        if (turn % 5 === 4) await checkInvariants(run.cluster)
      }
      await run.settle()
      await checkInvariants(run.cluster)
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += run.counts[name]
      await run.cluster.catalogue.close()
    })
  }

  it('do reach what matters', () => {
    expect(total.commits).to.be.greaterThan(seeds)
    expect(total.checkpoints).to.be.greaterThan(seeds)
    expect(total.deleted).to.be.greaterThan(seeds)
    expect(total.finished).to.be.greaterThan(seeds / 4)
    expect(total.refusals).to.be.greaterThan(0)
  })
})
