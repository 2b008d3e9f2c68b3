import { expect } from 'chai'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { chunkKey, parseChunkId } from '../../../../src/core/ids.ts'
import type { ChunkId } from '../../../../src/core/ids.ts'
import { readGapBytes, readTaskBytes } from '../../../../src/core/limits.ts'
import { silentLogger } from '../../../../src/core/logger.ts'
import { ChunkLoader } from '../../../../src/client/chunk-loader.ts'
import type { CopyProblem } from '../../../../src/client/pack-reader.ts'
import { mergeRanges, planReads } from '../../../../src/client/read-plan.ts'
import { RecordAssembler } from '../../../../src/client/record-assembler.ts'
import { inlineCodec } from '../../../../src/format/codec.ts'
import { expectError } from '../../../support/expect-error.ts'
import { collect, RestoreBench } from '../../../support/restore-bench.ts'

describe('ChunkLoader', () => {
  let bench: RestoreBench
  let loader: ChunkLoader
  let ids: ChunkId[]

  beforeEach(async () => {
    bench = await RestoreBench.start()
    const { cluster, clock, random } = bench
    loader = new ChunkLoader({ ...cluster.clientPorts, clock, random, codec: inlineCodec, logger: silentLogger })
    for (let index = 0; index < 30; index++) bench.source.file(`/f${index}`, bench.content(1_500_000))
    await bench.backup()
    ids = cluster.records('data').map(({ chunkId }) => chunkId)
    cluster.trace.length = 0
  })

  const load = async (wanted: readonly ChunkId[]): Promise<unknown[]> => collect(loader.load('default', wanted))

  it('yields every record once for each place where it is asked for', async () => {
    const wanted = [...ids, ids[0]!, ids[5]!, ids[0]!]
    const records = await collect(loader.load('', wanted))
    expect(records.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(wanted.map((_, index) => index))
    for (const { index, id } of records) expect(chunkKey(id)).to.equal(chunkKey(wanted[index]!))
    expect(await load([])).to.deep.equal([])
  })

  it('spreads what it reads over the nodes that hold it', async () => {
    await load(ids)
    const asked = new Set(bench.cluster.trace.filter((line) => line.startsWith('read')))
    expect(asked.size).to.equal(3)
  })

  it('is bounded in what it reads ahead of a slow consumer', async () => {
    const records = loader.load('', ids)
    await records.next()
    for (let turn = 0; turn < 200; turn++) await bench.clock.yield()
    // Four reads of 8 MiB each are in progress or waiting, the fifth has to wait.
    expect(bench.cluster.count('read')).to.equal(4)
    await records.return(undefined)
  })

  it('says which chunk, pack and nodes when no copy can be reached, and that it may pass', async () => {
    for (const { name } of bench.cluster.nodes) bench.cluster.kill(name)
    const error = await expectError(load([ids[0]!]), 'unavailable')
    expect(error.fields['chunk']).to.match(/^[0-9a-f]{64}$/)
    expect(error.fields['pack']).to.match(/^[0-9a-f]{32}$/)
    expect(error.fields['nodes']).to.match(/^n\d, n\d$/)
  })

  it('says that the data is gone when every copy is', async () => {
    const victim = bench.cluster.records('data')[0]!
    for (const holder of bench.cluster.holders(victim)) await bench.cluster.damage(victim, holder, 0, victim.length)
    const error = await expectError(load([ids[0]!]), 'integrity')
    expect(error.message).to.contain('no good copy')
    const unknown = await expectError(load([parseChunkId(new Uint8Array(32))]), 'integrity')
    expect(unknown.message).to.contain('not in the catalogue')
  })

  it('asks a copy again that failed for a moment', async () => {
    let failures = 2
    bench.cluster.faults.onRead = () => {
      if (failures-- > 0) throw new TwofoldError('unavailable', 'a hiccup')
    }
    expect(await load([ids[0]!])).to.have.length(1)
  })

  it('reads only the bad records from the other copy, and reports the copy', async () => {
    const [pack] = bench.cluster.packs.values()
    const data = pack!.entries.filter(({ kind }) => kind === 'data')
    const victim = data[2]!
    const [holder] = bench.cluster.holders(victim)
    await bench.cluster.damage(victim, holder!, 300)
    const problems: CopyProblem[] = []
    const wanted = data.slice(0, 5).map(({ chunkId }) => chunkId)
    expect(await collect(loader.load('', wanted, { onProblem: (problem) => problems.push(problem) }))).to.have.length(5)
    expect(problems.map(({ node, error }) => [node.name, error.code])).to.deep.equal([[holder!.name, 'integrity']])
    expect(bench.cluster.count('read')).to.equal(2)
  })

  it('reports what it misses and yields the rest when told to', async () => {
    const missing: number[] = []
    const wanted = [ids[0]!, parseChunkId(new Uint8Array(32)), ids[1]!]
    const records = await collect(loader.load('', wanted, { onMissing: (index) => missing.push(index) }))
    expect(records.map(({ index }) => index).sort()).to.deep.equal([0, 2])
    expect(missing).to.deep.equal([1])
  })

  it('takes no data for a tree', async () => {
    expect((await expectError(loader.loadTrees('', [ids[0]!]), 'integrity')).message).to.contain('no tree')
  })
})

describe('the plan of a read', () => {
  it('merges what is near', () => {
    const records = [
      { offset: 0, length: 10 },
      { offset: 10, length: 10 },
      { offset: 20 + readGapBytes, length: 5 },
      { offset: 26 + 2 * readGapBytes, length: 5 },
    ]
    expect(mergeRanges(records)).to.deep.equal([
      { offset: 0, length: 25 + readGapBytes },
      { offset: 26 + 2 * readGapBytes, length: 5 },
    ])
  })

  it('cuts by what is larger, stored or plain', () => {
    const pack = { packId: 'p' as never, lengthBytes: 1e8, nodes: [] }
    const chunks = Array.from({ length: 10 }, (_, index) => ({
      id: parseChunkId(Buffer.alloc(32, index)),
      indexes: [index],
      location: { pack, offset: (9 - index) * 1000, length: 1000, plainLength: readTaskBytes / 4 },
    }))
    const reads = planReads(chunks)
    expect(reads.map(({ records }) => records.length)).to.deep.equal([4, 4, 2])
    expect(reads[0]?.records.map(({ offset }) => offset)).to.deep.equal([0, 1000, 2000, 3000])
  })

  it('puts records together whatever the slices are, and notices a gap', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    const spans = [
      { offset: 3, length: 7 },
      { offset: 10, length: 1 },
      { offset: 40, length: 100 },
      { offset: 200, length: 56 },
    ]
    for (const size of [1, 7, 64, 256]) {
      const found: Buffer[] = []
      const assembler = new RecordAssembler(spans, (_, record) => found.push(Buffer.from(record)))
      for (let offset = 0; offset < 256; offset += size) {
        assembler.push({ offset, data: bytes.subarray(offset, offset + size) })
      }
      expect(assembler.complete).to.equal(true)
      expect(found.map((record) => record.toString('hex'))).to.deep.equal(
        spans.map(({ offset, length }) => bytes.toString('hex', offset, offset + length)),
      )
    }
    const assembler = new RecordAssembler(spans, () => undefined)
    assembler.push({ offset: 0, data: bytes.subarray(0, 5) })
    expect(() => assembler.push({ offset: 6, data: bytes.subarray(6) })).to.throw(/left out/)
  })
})
