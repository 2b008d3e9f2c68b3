/**
 * A manager in this process on a filled catalogue: what looking chunks up and committing packs costs there. Writes its
 * figures as JSON to stdout.
 *
 * Usage: node catalogue-probe.ts CATALOGUE CHUNKS
 */
import { statSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { chunkIdBytes } from '../../src/core/ids.ts'
import type { ChunkId } from '../../src/core/ids.ts'
import { lookupIdsMax, packBytesTarget } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Session } from '../../src/core/messages.ts'
import { readTicketUnchecked } from '../../src/format/tickets.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { Manager } from '../../src/manager/manager.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { median } from '../measure/measurement.ts'
import { readPeakRssBytes } from '../measure/process-usage.ts'
import { SeededStream } from '../workloads/seeded-stream.ts'
import { quantile } from '../../src/core/quantile.ts'
import { chunksPerPack, entriesOfPack, writeChunkId } from './numbered-chunks.ts'
import { PaperNode } from './paper-node.ts'

const batches = 100
const commits = 300
/** Far above the number of any chunk that is there. */
const absentFrom = 2 ** 40
/** Above those, a multiple of what is in a pack. */
const committedFrom = chunksPerPack * 2 ** 36

const random = new SeededStream('probe')
const since = (start: number): number => performance.now() - start

/** Ids in random order, of which every second is there, in one piece of memory as out of a message. */
function someIds(chunks: number): ChunkId[] {
  const message = Buffer.allocUnsafe(lookupIdsMax * chunkIdBytes)
  return Array.from({ length: lookupIdsMax }, (_, at) => {
    const n = random.below(chunks)
    writeChunkId(at % 2 === 0 ? n : absentFrom + n, message, at * chunkIdBytes)
    return message.subarray(at * chunkIdBytes, (at + 1) * chunkIdBytes) as unknown as ChunkId
  })
}

class Probe {
  readonly #catalogue: Catalogue
  readonly #manager: Manager
  readonly #chunks: number
  /** With their registration numbers. */
  readonly #nodes = new Map<PaperNode, number>()

  private constructor(catalogue: Catalogue, manager: Manager, chunks: number) {
    this.#catalogue = catalogue
    this.#manager = manager
    this.#chunks = chunks
  }

  static async open(path: string, chunks: number): Promise<Probe> {
    const catalogue = openSqliteCatalogue(path)
    const manager = await Manager.open({ catalogue, clock: systemClock, random: systemRandom, logger: silentLogger })
    const probe = new Probe(catalogue, manager, chunks)
    for (const n of [1, 2, 3]) {
      // Later than any put of an earlier probe.
      const node = new PaperNode(n, String(systemClock.nowMs()), systemClock.nowMs())
      probe.#nodes.set(node, (await manager.register(node.registration())).registrationNumber)
    }
    return probe
  }

  /** Keeps the nodes up. */
  async #beat(): Promise<void> {
    for (const [node, registration] of this.#nodes) await this.#manager.heartbeat(node.heartbeat(registration))
  }

  close(): Promise<void> {
    return this.#catalogue.close()
  }

  begin(): Promise<Session> {
    const requestId = String(systemClock.nowMs())
    const begin = { clientId: 'probe', requestId, vault: '', host: 'host', user: '', paths: [Buffer.from('/a')] }
    return this.#manager.beginBackup({ ...begin, fileName: '', parent: '', noParent: true })
  }

  /** Ids a second, as a client's call has it and of the catalogue alone, and the longest batch in milliseconds. */
  async lookUp(session: Session, batches: number): Promise<Record<string, number>> {
    const calls: number[] = []
    const reads: number[] = []
    for (let batch = 0; batch < batches; batch++) {
      const ids = someIds(this.#chunks)
      const start = performance.now()
      await this.#manager.lookupChunks(session, ids)
      calls.push(since(start))
      const others = someIds(this.#chunks)
      const readStart = performance.now()
      await this.#catalogue.read((tx) => tx.chunks.find(1, others))
      reads.push(since(readStart))
    }
    const rate = (times: readonly number[]): number => (1000 * lookupIdsMax) / (median(times) ?? Number.NaN)
    return { lookupIdsPerSecond: rate(calls), findIdsPerSecond: rate(reads), lookupBatchMsMost: Math.max(...calls) }
  }

  /** Milliseconds of each commit, one after the other. */
  async commit(session: Session): Promise<Record<string, number>> {
    const times: number[] = []
    // Packs that no earlier probe of this catalogue committed.
    const firstPack = committedFrom / chunksPerPack + (Math.floor(systemClock.nowMs() / 1000) % 1e7) * commits
    for (let n = 0; n < commits; n++) {
      const entries = entriesOfPack(firstPack + n)
      await this.#beat()
      const allocation = { session, requestId: `${n}`, lengthBytes: packBytesTarget, excludeNodeIds: [] }
      const { ticket } = await this.#manager.allocatePack(allocation)
      const { primary, replicas } = readTicketUnchecked(ticket)
      const receipts = [primary, ...replicas].map(({ nodeId }) => {
        const node = [...this.#nodes.keys()].find(({ ref }) => ref.nodeId === nodeId) as PaperNode
        return node.receipt(ticket, systemClock.nowMs())
      })
      const start = performance.now()
      await this.#manager.commitPack({ ticket, receipts, entries })
      times.push(since(start))
    }
    return {
      commitMsMedian: quantile(times, 0.5),
      commitMsP99: quantile(times, 0.99),
      commitMsMost: Math.max(...times),
    }
  }

  /** What is done in the background after a start, in milliseconds: all of it, and the longest piece. */
  async upkeep(): Promise<Record<string, number>> {
    const pieces: number[] = []
    for (let more = true; more;) {
      const start = performance.now()
      more = await this.#manager.sweep()
      pieces.push(since(start))
    }
    return { upkeepMs: pieces.reduce((sum, piece) => sum + piece, 0), upkeepMsMost: Math.max(...pieces) }
  }

  /** Milliseconds of the first answer after a start and of the next, and how late the event loop was meanwhile. */
  async status(): Promise<Record<string, number>> {
    const delays = monitorEventLoopDelay({ resolution: 1 })
    delays.enable()
    // The first tick only says from when on.
    await sleep(5)
    const times: number[] = []
    for (let turn = 0; turn < 2; turn++) {
      const start = performance.now()
      await this.#manager.getStatus()
      times.push(since(start))
    }
    await sleep(5)
    delays.disable()
    const [statusMs = Number.NaN, statusAgainMs = Number.NaN] = times
    return { statusMs, statusAgainMs, statusLoopMsMost: delays.max / 1e6 }
  }
}

const [path = '', chunks = ''] = process.argv.slice(2)
const start = performance.now()
const probe = await Probe.open(path, Number(chunks))
const openMs = since(start)
const session = await probe.begin()
const cold = await probe.lookUp(session, 20)
const upkeep = await probe.upkeep()
const figures = { ...(await probe.lookUp(session, batches)), ...(await probe.commit(session)) }
const status = await probe.status()
const rssBytes = process.memoryUsage.rss()
const rssPeakBytes = readPeakRssBytes(process.pid)
await probe.close()
const fileBytes = statSync(path).size
const coldIdsPerSecond = cold['lookupIdsPerSecond']
const all = { ...figures, ...upkeep, ...status, coldIdsPerSecond, openMs, rssBytes, rssPeakBytes, fileBytes }
process.stdout.write(`${JSON.stringify(all)}\n`)
