import { expect } from 'chai'
import { dirname } from 'node:path'
import type { Client } from '../../src/client/client.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { nodeDeadAfterMs } from '../../src/core/limits.ts'
import { MemorySource } from '../support/memory-source.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { SimWorld } from './sim-world.ts'

/** A cluster of real nodes with one backup of some megabytes, and what must be true of it in the end. */
class Bench {
  readonly world: SimWorld
  readonly client: Client
  readonly #files: ReadonlyMap<string, Uint8Array>

  private constructor(world: SimWorld, files: ReadonlyMap<string, Uint8Array>) {
    this.world = world
    this.client = world.client().client
    this.#files = files
  }

  static async start(seed: number, nodes: number): Promise<Bench> {
    const world = await SimWorld.start({ seed, nodes })
    const random = new SeededRandom(seed)
    const source = new MemorySource()
    const files = new Map<string, Uint8Array>()
    for (let file = 0; file < 6; file++) {
      const content = random.bytes(6_000_000)
      files.set(`data/f${file}`, content)
      source.file(`/data/f${file}`, content)
    }
    const bench = new Bench(world, files)
    await world.scheduler.run(world.backup(source))
    return bench
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.world.scheduler.run(this.world.scheduler.delay(ms), ms + 60_000)
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.world.scheduler.run(work, 600_000)
  }

  packsOf(name: string): string[] {
    return this.world
      .node(name)
      .disk.files()
      .filter((file) => file.startsWith('packs/'))
  }

  get names(): string[] {
    return this.world.nodes.map((node) => node.name)
  }

  /** How many copies lie on the disks of these nodes, for each pack. */
  async expectCopies(names: readonly string[], copies: number): Promise<void> {
    const status = await this.run(this.client.status())
    expect(status).to.include({ packsDegraded: 0, packsUnavailable: 0, safeMode: false })
    const held = names.flatMap((name) => this.packsOf(name))
    expect(held.length).to.equal(status.packs * copies)
  }

  async expectRestored(): Promise<void> {
    const { target, summary } = await this.run(this.world.restore('latest'))
    expect(summary).to.include({ problems: 0, damaged: 0 })
    for (const [path, content] of this.#files) {
      expect(Buffer.from(target.at(path)!.content).equals(Buffer.from(content)), path).to.equal(true)
    }
  }
}

describe('simulation: repair', () => {
  it('replaces what a dead node had, and gives the surplus up when it comes back', async function () {
    const bench = await Bench.start(1, 4)
    const lost = bench.names.find((name) => bench.packsOf(name).length > 0)!
    const others = bench.names.filter((name) => name !== lost)
    bench.world.crashNode(lost)
    await bench.pass(nodeDeadAfterMs + 60_000)
    await bench.expectCopies(others, 2)
    await bench.expectRestored()
    void bench.world.startNode(lost)
    await bench.pass(120_000)
    await bench.expectCopies(bench.names, 2)
    await bench.expectRestored()
    await bench.world.close()
  })

  it('replaces a copy that a node lost without knowing', async function () {
    const bench = await Bench.start(2, 3)
    const victim = bench.names.find((name) => bench.packsOf(name).length > 0)!
    const [file] = bench.packsOf(victim)
    const { disk } = bench.world.node(victim)
    await bench.run(disk.remove(file!))
    await bench.run(disk.syncDirectory(dirname(file!)))
    bench.world.crashNode(victim)
    await bench.pass(6000)
    void bench.world.startNode(victim)
    await bench.pass(60_000)
    await bench.expectCopies(bench.names, 2)
    await bench.expectRestored()
    await bench.world.close()
  })

  it('empties a node, which then can be removed', async function () {
    const bench = await Bench.start(3, 4)
    const name = bench.names.find((each) => bench.packsOf(each).length > 0)!
    const others = bench.names.filter((each) => each !== name)
    await bench.run(bench.client.drainNode(name))
    await bench.pass(120_000)
    expect(bench.packsOf(name)).to.deep.equal([])
    const states = (await bench.run(bench.client.nodes())).map((info) => info.state)
    expect(states).to.include('drained')
    await bench.run(bench.client.removeNode(name))
    await bench.expectCopies(others, 2)
    bench.world.crashNode(name)
    await bench.expectRestored()
    await bench.world.close()
  })

  it('goes on where it was after the manager crashed in the middle', async function () {
    const bench = await Bench.start(4, 4)
    const lost = bench.names.find((name) => bench.packsOf(name).length > 0)!
    bench.world.crashNode(lost)
    await bench.pass(nodeDeadAfterMs + 1500)
    bench.world.crashManager()
    await bench.pass(1000)
    await bench.run(bench.world.startManager())
    await bench.pass(nodeDeadAfterMs + 60_000)
    await bench.expectCopies(
      bench.names.filter((name) => name !== lost),
      2,
    )
    await bench.expectRestored()
    await bench.world.close()
  })

  it('removes a pack that was taken back, and is there again after a loss of power', async function () {
    let back = 0
    for (let seed = 1; seed <= 8; seed++) back += await takenBack(seed)
    expect(back, 'packs that came back').to.be.greaterThan(0)
  })
})

/** A name that cannot be synced is removed again, and that is not synced either. @returns how many came back */
async function takenBack(seed: number): Promise<number> {
  let failing = true
  const onDisk = (node: string, operation: string, path: string): void => {
    const shelf = operation === 'syncDirectory' && path.startsWith('packs/')
    if (failing && node === 'n1' && shelf) throw new TwofoldError('io', 'a bad disk')
  }
  const world = await SimWorld.start({ seed, nodes: 3, packBytes: 256 * 1024, onDisk })
  const source = new MemorySource()
  const random = new SeededRandom(seed)
  for (let file = 0; file < 12; file++) source.file(`/data/f${file}`, random.bytes(120_000))
  await world.scheduler.run(world.backup(source), 600_000)
  const sealed = (): number =>
    world
      .node('n1')
      .disk.files()
      .filter((file) => file.startsWith('packs/')).length
  // Until all that was ordered because of it is carried out: nothing but its list of packs can tell of it then.
  await world.scheduler.run(world.scheduler.delay(10_000), 60_000)
  const before = sealed()
  failing = false
  world.crashNode('n1')
  const back = sealed() - before
  void world.startNode('n1')
  await world.scheduler.run(world.scheduler.delay(120_000), 600_000)
  const { packs } = await world.scheduler.run(world.client().client.status(), 60_000)
  const names = world.nodes.map(({ name }) => name)
  const held = names.flatMap((name) =>
    world
      .node(name)
      .disk.files()
      .filter((file) => file.startsWith('packs/')),
  )
  expect(held, `seed ${seed}`).to.have.length(packs * 2)
  await world.close()
  return back
}
