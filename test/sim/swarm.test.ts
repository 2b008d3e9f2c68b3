import { expect } from 'chai'
import { isTwofoldError } from '../../src/core/errors.ts'
import { MemorySource } from '../support/memory-source.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { SimWorld } from './sim-world.ts'

const firstSeed = Number(process.env['FIRST'] ?? 1)
const seeds = Number(process.env['SEEDS'] ?? 25)

/** Times and kinds of faults are drawn from the seed; how many there are differs between seeds, too. */
function planFaults(world: SimWorld, seed: number): void {
  const random = new SeededRandom(seed * 7919)
  const faults = Math.floor(random.fraction() * 5)
  for (let fault = 0; fault < faults; fault++) {
    const atMs = random.fraction() * 400
    const downMs = 500 + random.fraction() * 8000
    const victim = `n${1 + Math.floor(random.fraction() * world.nodes.length)}`
    const kind = random.fraction()
    world.scheduler.after(atMs, () => {
      if (kind < 0.25) {
        world.crashManager()
        world.scheduler.after(downMs, () => void world.startManager())
      } else if (kind < 0.85) {
        world.crashNode(victim)
        world.scheduler.after(downMs, () => void world.startNode(victim))
      } else {
        for (const name of ['manager', 'client3', 'n1', 'n2', 'n3', 'n4']) world.network.cut(name, victim, true)
        world.scheduler.after(downMs, () => {
          for (const name of ['manager', 'client3', 'n1', 'n2', 'n3', 'n4']) world.network.cut(name, victim, false)
        })
      }
    })
  }
}

async function storm(seed: number): Promise<'saved' | 'refused'> {
  const random = new SeededRandom(seed)
  const world = await SimWorld.start({ seed, nodes: 3 + (seed % 2), lossShare: seed % 3 === 0 ? 0.03 : 0 })
  const source = new MemorySource()
  const files = new Map<string, Uint8Array>()
  for (let file = 0; file < 12; file++) {
    const content = random.bytes(Math.floor(random.fraction() ** 3 * 4_000_000))
    files.set(`data/${file % 4}/f${file}`, content)
    source.file(`/data/${file % 4}/f${file}`, content)
  }
  planFaults(world, seed)
  let saved: string | undefined
  try {
    saved = (await world.scheduler.run(world.backup(source))).snapshot?.id
  } catch (error) {
    // A refusal in words is fine when the world is bad enough; anything else is a bug.
    if (!isTwofoldError(error, 'not-enough-nodes', 'no-room', 'unavailable', 'session-ended', 'missing-chunks'))
      throw error
  }
  await heal(world)
  if (saved === undefined) await expectNothing(world)
  else await expectEverything(world, saved, files)
  await world.close()
  return saved === undefined ? 'refused' : 'saved'
}

/** Everybody comes back, and there is time for orders to be carried out and for sessions to run out. */
async function heal(world: SimWorld): Promise<void> {
  await world.scheduler.run(world.scheduler.delay(20_000))
  world.network.heal()
  await world.untilUp(world.nodes.length)
  await world.scheduler.run(world.scheduler.delay(150_000))
  const { client } = world.client()
  const status = await world.scheduler.run(client.status())
  expect(status.sessionsOpen, 'no session is stuck').to.equal(0)
  const sealed = world.nodes.flatMap((node) => node.disk.files().filter((file) => file.startsWith('packs/')))
  const left = world.nodes.flatMap((node) => node.disk.files().filter((file) => file.startsWith('incoming/')))
  expect(left, 'no half-written pack is left').to.deep.equal([])
  expect(sealed.length, 'no copy is left that the catalogue does not know').to.be.at.most(status.packs * 2)
}

async function expectNothing(world: SimWorld): Promise<void> {
  const { client } = world.client()
  expect((await world.scheduler.run(client.status())).snapshots).to.equal(0)
}

async function expectEverything(world: SimWorld, id: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { client } = world.client()
  const snapshot = await world.scheduler.run(client.resolve(id))
  expect(snapshot.durability).to.include({ copies: 2, packsDegraded: 0 })
  const { target, summary } = await world.scheduler.run(world.restore(id))
  expect(summary).to.include({ problems: 0, damaged: 0 })
  for (const [path, content] of files) {
    expect(Buffer.from(target.at(path)!.content).equals(Buffer.from(content)), path).to.equal(true)
  }
}

describe('simulation: nodes and manager crash, messages get lost', () => {
  it(`keeps what it acknowledged and leaves nothing behind, in ${seeds} seeds`, async function () {
    this.timeout(seeds * 10_000)
    const outcomes = { saved: 0, refused: 0 }
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        outcomes[await storm(seed)] += 1
      } catch (error) {
        throw new Error(`seed ${seed} fails; repeat it with SEEDS=1 FIRST=${seed}`, { cause: error })
      }
    }
    expect(outcomes.saved, 'most backups go through').to.be.greaterThan(outcomes.refused)
  })
})
