import { expect } from 'chai'
import { MemorySource } from '../support/memory-source.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { SimWorld } from './sim-world.ts'

describe('simulation: two processes on one store', () => {
  it('serves what the one wrote while the other waited for its place', async () => {
    const world = await SimWorld.start({ seed: 1, nodes: 2 })
    const { scheduler } = world
    const pass = (ms: number): Promise<void> => scheduler.run(scheduler.delay(ms), ms + 60_000)
    const life = (): string | undefined =>
      /"incarnation": "([0-9a-f]+)"/.exec(
        Buffer.from(world.node('n1').disk.content('node.json', 'seen')!).toString(),
      )?.[1]
    const before = life()
    // The first one is silent for so long that the other takes its place; it ends, and is started again.
    world.node('n1').process.pause(60_000)
    await scheduler.run(world.startTwin('n1'))
    await pass(90_000)
    const source = new MemorySource()
    const content = new SeededRandom(1).bytes(100_000)
    source.file('/data/letter', content)
    await scheduler.run(world.backup(source), 60_000)
    world.killTwin('n1')
    await pass(60_000)
    // A store that knew nothing of the other's packs would have had to begin a new life without them.
    expect(life()).to.equal(before)
    world.crashNode('n2')
    const { target, summary } = await scheduler.run(world.restore('latest'), 60_000)
    expect(summary).to.include({ problems: 0, damaged: 0 })
    expect(Buffer.from(target.at('data/letter')!.content).equals(content)).to.equal(true)
    await world.close()
  })
})
