/** The full-screen client at a fake terminal, with the real client library on a cluster of real parts. */
import { Client } from '../../src/client/index.ts'
import { randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { systemClock } from '../../src/system/clock.ts'
import { runTui } from '../../src/tui/main.ts'
import { FakeTty } from './fake-tty.ts'
import { MemorySource } from './memory-source.ts'
import { MemoryTarget } from './memory-target.ts'
import { NodeCluster } from './node-cluster.ts'
import { SeededRandom } from './seeded-random.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface TuiFixture {
  /** Of the cluster. What the person waits for takes real time, and is short. */
  readonly clock: VirtualClock
  readonly cluster: NodeCluster
  readonly client: Client
  readonly source: MemorySource
  readonly target: MemoryTarget
  /** What was written to files of this machine, by path. */
  readonly saved: Map<string, string>
  /** Opens it, or opens it again. */
  open(size?: { columns: number; rows: number }): { readonly tty: FakeTty; readonly over: Promise<void> }
  /** Ends all that is open. */
  end(): Promise<void>
}

export async function createTuiFixture(): Promise<TuiFixture> {
  const clock = new VirtualClock()
  const random = new SeededRandom(7)
  const cluster = await NodeCluster.start(['n1', 'n2', 'n3'], { clock, random })
  const client = new Client({
    ...cluster.clientPorts,
    ...{ clock, random, logger: silentLogger, codec: inlineCodec, clientId: randomHexId<string>(random) },
    ...{ hostName: 'machine', userName: 'somebody', program: 'twofold 0.1.0' },
    close: () => undefined,
  })
  const source = new MemorySource()
  source.directory('/src')
  const target = new MemoryTarget()
  const saved = new Map<string, string>()
  const stop = new AbortController()
  const running: Promise<void>[] = []
  const open: TuiFixture['open'] = ({ columns, rows } = { columns: 80, rows: 24 }) => {
    const tty = new FakeTty(columns, rows)
    const over = runTui({
      ...{ client, random, terminal: tty, manager: 'backup.test:7400', root: Buffer.from('/src'), timeZone: 'UTC' },
      signal: stop.signal,
      // Who waits for the client waits for content; its own pauses are short.
      clock: { ...systemClock, nowMs: () => clock.nowMs(), sleep: (ms, ended) => systemClock.sleep(ms / 20, ended) },
      openSource: () => source,
      openTarget: () => target,
      saveFile: async (path, content) => {
        const pieces: Uint8Array[] = []
        for await (const piece of content) pieces.push(Buffer.from(piece))
        saved.set(Buffer.from(path).toString(), Buffer.concat(pieces).toString())
      },
    })
    running.push(over)
    return { tty, over }
  }
  const end: TuiFixture['end'] = async () => {
    stop.abort()
    await Promise.all(running)
  }
  return { clock, cluster, client, source, target, saved, open, end }
}
