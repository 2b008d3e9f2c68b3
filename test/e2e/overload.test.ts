import { expect } from 'chai'
import { Cluster } from '../../bench/cluster.ts'
import { readPeakRssBytes } from '../../bench/measure/process-usage.ts'
import { createClient } from '../../src/client/main.ts'
import type { Client } from '../../src/client/index.ts'
import { managerMemoryBytesMax, nodeMemoryBytesMax } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { seededBytes } from './seeded-bytes.ts'

const clients = Number(process.env['OVERLOAD_CLIENTS'] ?? 200)
const largeBytes = 1_200_000
const smallFiles = 40
const restorers = 4

/** Files that nobody else has. */
function sourceOf(seed: number, large = 1): MemorySource {
  const source = new MemorySource()
  for (let file = 0; file < large; file++) source.file(`/src/large${file}`, seededBytes(seed * 100 + file, largeBytes))
  for (let file = 0; file < smallFiles; file++) {
    source.file(`/src/small/${file}`, seededBytes(seed * 100 + 50 + file, 2000))
  }
  return source
}

describe(`${clients} clients at once`, function () {
  let cluster: Cluster
  const open: Client[] = []

  before(async () => (cluster = await Cluster.start()))
  after(async () => {
    for (const each of open) each.close()
    await cluster.stop()
  })

  /** With connections of its own, as if it were a process of its own. */
  function client(name: string): Client {
    const ports = { clock: systemClock, random: systemRandom, logger: silentLogger }
    const who = { hostName: name, userName: 'user', program: name }
    const made = createClient({ managers: [cluster.managerAddress], ...ports, ...who })
    open.push(made)
    return made
  }

  const backUp = async (name: string, source: MemorySource): Promise<string> => {
    const summary = await client(name).backup({ source, paths: [Buffer.from('/src')] })
    expect(summary.problems).to.equal(0)
    return summary.snapshot?.id ?? ''
  }

  async function restore(name: string, id: string, seed: number): Promise<void> {
    const target = new MemoryTarget()
    const summary = await client(name).restore({ reference: id, target })
    expect([summary.problems, summary.damaged]).to.deep.equal([0, 0])
    expect(target.at('src/large0')?.content.equals(seededBytes(seed * 100, largeBytes))).to.equal(true)
  }

  it('all get done, restores go on, and no server takes more memory than it says', async () => {
    const id = await backUp('first', sourceOf(0, 20))
    let over = false
    let restored = 0
    const restoring = Array.from({ length: restorers }, async (_, n) => {
      while (!over) {
        await restore(`restorer${n}`, id, 0)
        restored += 1
      }
    })
    const sources = Array.from({ length: clients }, (_, n) => sourceOf(n + 1))
    const from = performance.now()
    const ids = await Promise.all(sources.map((source, n) => backUp(`client${n}`, source)))
    const seconds = (performance.now() - from) / 1000
    over = true
    await Promise.all(restoring)
    await restore('check', ids.at(-1) ?? '', clients)
    expect(new Set(ids).size).to.equal(clients)
    expect(restored).to.be.at.least(restorers)
    const peaks = Object.fromEntries(
      ['manager', ...cluster.nodeNames].map((name) => [name, readPeakRssBytes(cluster.pid(name)) ?? Infinity]),
    )
    if (process.env['OVERLOAD_CLIENTS'] !== undefined) {
      process.stdout.write(`${JSON.stringify({ seconds, restored, peaks })}\n`)
    }
    expect(peaks['manager']).to.be.at.most(managerMemoryBytesMax)
    for (const name of cluster.nodeNames) expect(peaks[name], name).to.be.at.most(nodeMemoryBytesMax)
  })
})
