import { expect } from 'chai'
import { MemorySource } from '../support/memory-source.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { SimWorld } from './sim-world.ts'

/** Some directories with files of all sizes, 12 MB in all, too much for a single slice. */
function sampleTree(seed: number): { source: MemorySource; files: Map<string, Uint8Array> } {
  const random = new SeededRandom(seed)
  const source = new MemorySource()
  const files = new Map<string, Uint8Array>()
  for (const [index, length] of [0, 1, 1000, 70_000, 300_000, 2_500_000, 9_000_000].entries()) {
    const path = `/data/d${index % 3}/file${index}`
    const content = random.bytes(length)
    files.set(path, content)
    source.file(path, content)
  }
  source.symlink('/data/link', 'd0/file0')
  return { source, files }
}

interface Outcome {
  readonly hash: string
  readonly steps: number
  readonly packs: number
}

/** A backup during which a node dies in the middle of a transfer and comes back; then everything is restored. */
async function crashInTheMiddle(seed: number): Promise<Outcome> {
  const world = await SimWorld.start({ seed })
  const { source, files } = sampleTree(seed)
  const writing = (): string | undefined =>
    world.nodes.find((node) => node.disk.files().some((file) => file.startsWith('incoming/')))?.name
  let crashed: string | undefined
  world.when(
    () => writing() !== undefined,
    () => {
      crashed = writing()!
      world.crashNode(crashed)
      world.scheduler.after(3000, () => void world.startNode(crashed!))
    },
  )
  const backup = await world.scheduler.run(world.backup(source))
  expect(crashed, 'a node crashed while it was writing').not.to.equal(undefined)
  const snapshot = backup.snapshot!
  expect(snapshot.durability).to.include({ copies: 2, packsDegraded: 0 })
  await world.scheduler.run(world.scheduler.delay(10_000))
  await world.untilUp(3)

  const { target, summary } = await world.scheduler.run(world.restore(snapshot.id))
  expect(summary).to.include({ problems: 0, damaged: 0, filesRestored: files.size })
  for (const [path, content] of files) {
    expect(Buffer.from(target.at(path.slice(1))!.content).equals(Buffer.from(content)), path).to.equal(true)
  }
  for (const node of world.nodes) {
    expect(node.disk.files().filter((file) => file.startsWith('incoming/'))).to.deep.equal([])
  }
  await world.close()
  return { hash: world.trace.hash(), steps: world.trace.count, packs: backup.packs.length }
}

describe('simulation: a node crashes in the middle of a backup', () => {
  it('finishes the backup on the others, and everything can be restored', async () => {
    const { packs, steps } = await crashInTheMiddle(1)
    expect(packs).to.be.greaterThan(0)
    expect(steps).to.be.greaterThan(100)
  })

  it('does the same again, to the last message, with the same seed, and something else with another', async () => {
    const first = await crashInTheMiddle(42)
    const again = await crashInTheMiddle(42)
    const other = await crashInTheMiddle(43)
    expect(again).to.deep.equal(first)
    expect(other.hash).not.to.equal(first.hash)
  })
})
