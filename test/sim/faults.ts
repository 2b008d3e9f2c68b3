import { TwofoldError } from '../../src/core/errors.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { Damage } from './damage.ts'
import type { DamageDeps } from './damage.ts'
import { strikeKinds } from './profile.ts'
import type { Profile, StrikeKind } from './profile.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimNode, SimWorld } from './sim-world.ts'

/** How a node's disk misbehaves. */
interface DiskFault {
  readonly operations: readonly string[]
  readonly error: 'io' | 'no-room'
}

/** Makes faults strike a world, at times and places that follow from the seed alone. */
export class Faults {
  readonly counts: Record<string, number> = {}
  /** Processes of clients that may be killed and paused. */
  readonly clients = new Set<SimProcess>()
  readonly #profile: Profile
  readonly #kinds: readonly StrikeKind[]
  readonly #damage: Damage
  readonly #random: SeededRandom
  readonly #diskFaults = new Map<string, DiskFault>()
  #world: SimWorld | undefined
  #over = false

  constructor(profile: Profile) {
    this.#profile = profile
    this.#kinds = strikeKinds.filter((kind) => profile.kinds.includes(kind))
    this.#damage = new Damage(profile)
    this.#random = new SeededRandom(profile.seed * 104_729 + 7)
  }

  /** To be given to the world: fails the operations of disks that misbehave. */
  readonly onDisk = (node: string, operation: string, path: string): void => {
    this.#damage.onDisk(node, operation, path)
    const fault = this.#diskFaults.get(node)
    if (fault === undefined || !fault.operations.includes(operation)) return
    throw new TwofoldError(fault.error, `a fault of the simulated disk of ${node}`)
  }

  begin(deps: Omit<DamageDeps, 'count'>): void {
    const { world } = deps
    this.#world = world
    const { network, catalogueLostShare, catalogueSlowShare } = this.#profile
    world.misbehave(network, catalogueLostShare, catalogueSlowShare)
    this.#next()
    this.#damage.begin({ ...deps, count: (kind) => this.#count(kind) })
  }

  #count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }

  /** Everybody comes back, and everything works from now on. */
  end(): void {
    this.#over = true
    const world = this.#running()
    world.heal()
    this.#diskFaults.clear()
    this.#damage.end()
    for (const client of this.clients) client.resume()
    if (world.manager.dead) void world.startManager()
    else world.manager.resume()
    // A store whose disk failed takes no writes until it is started again.
    for (const { name, process } of world.nodes) {
      if (!process.dead) process.kill()
      void world.startNode(name)
    }
  }

  #running(): SimWorld {
    if (this.#world === undefined) throw new Error('faults need a world')
    return this.#world
  }

  #next(): void {
    const { faultEveryMs } = this.#profile
    if (this.#kinds.length === 0) return
    const waitMs = -Math.log(1 - this.#random.fraction()) * faultEveryMs
    this.#running().scheduler.after(waitMs, () => {
      if (this.#over) return
      const kind = this.#pick(this.#kinds)
      this.#count(kind)
      this.#strike(kind, this.#running())
      this.#next()
    })
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random.fraction() * choices.length)] as T
  }

  #between(leastMs: number, mostMs: number): number {
    return leastMs + this.#random.fraction() * (mostMs - leastMs)
  }

  #strike(kind: StrikeKind, world: SimWorld): void {
    switch (kind) {
      case 'crash-node':
        return this.#crashNode(world, this.#pick(world.nodes), this.#between(200, 12_000))
      case 'power-loss':
        for (const node of world.nodes) this.#crashNode(world, node, this.#between(200, 5000))
        return
      case 'crash-manager':
        return this.#crashManager(world, this.#between(200, 9000))
      case 'crash-client':
        return this.#pick([...this.clients, undefined])?.kill()
      case 'pause-client':
        return this.#pick([...this.clients, undefined])?.pause(this.#between(500, this.#pick([3000, 20_000, 90_000])))
      case 'pause-node':
        return this.#pick(world.nodes).process.pause(this.#between(500, 20_000))
      case 'pause-manager':
        return world.manager.pause(this.#between(500, 15_000))
      case 'partition':
        return this.#partition(world)
      case 'full-disk':
        return this.#diskFault(world, { operations: ['create', 'write'], error: 'no-room' })
      case 'disk-error': {
        const operations = this.#pick([['sync'], ['syncDirectory'], ['write'], ['rename']])
        return this.#diskFault(world, { operations, error: 'io' })
      }
    }
  }

  #crashNode(world: SimWorld, node: SimNode, downMs: number): void {
    if (node.process.dead) return
    world.crashNode(node.name)
    world.scheduler.after(downMs, () => {
      if (!this.#over && node.process.dead) void world.startNode(node.name)
    })
  }

  #crashManager(world: SimWorld, downMs: number): void {
    if (world.manager.dead) return
    world.crashManager()
    world.scheduler.after(downMs, () => {
      if (!this.#over && world.manager.dead) void world.startManager()
    })
  }

  /** One process no longer reaches some others, or is no longer reached by them, or both. */
  #partition(world: SimWorld): void {
    const names = ['manager', ...world.nodes.map(({ name }) => name), ...[...this.clients].map(({ name }) => name)]
    const victim = this.#pick(names)
    const way = this.#pick(['to', 'from', 'both'])
    const pairs = names.flatMap((other): [string, string][] => {
      if (other === victim || this.#random.fraction() < 0.3) return []
      if (way === 'both') return [...([[victim, other]] as [string, string][]), [other, victim]]
      return way === 'to' ? [[victim, other]] : [[other, victim]]
    })
    for (const [from, to] of pairs) world.network.cut(from, to, true)
    world.scheduler.after(this.#between(500, 25_000), () => {
      for (const [from, to] of pairs) world.network.cut(from, to, false)
    })
  }

  /**
   * A disk with an error stays read-only until its node is started again. Before that it may seem to be well for a
   * while: what it dropped is gone all the same.
   */
  #diskFault(world: SimWorld, fault: DiskFault): void {
    const node = this.#pick(world.nodes)
    this.#diskFaults.set(node.name, fault)
    const lastsMs = this.#between(50, 6000)
    world.scheduler.after(lastsMs, () => this.#diskFaults.delete(node.name))
    if (fault.error !== 'io') return
    world.scheduler.after(lastsMs + this.#between(0, 3000), () => {
      if (!this.#over) this.#crashNode(world, node, this.#between(200, 3000))
    })
  }
}
