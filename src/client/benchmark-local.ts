import type { Disk, DiskFile } from '../core/disk.ts'
import { randomHexId } from '../core/ids.ts'
import { chunkBytesAverage, compressedAtOnce, packBytesTarget } from '../core/limits.ts'
import type { Random } from '../core/random.ts'
import type { UncachedReader } from '../core/uncached-reader.ts'
import { Chunker } from '../format/chunker.ts'
import type { Codec } from '../format/codec.ts'
import { blake3 } from '../format/hash.ts'
import { textLikeBytes } from './benchmark-content.ts'
import type { LocalFigures } from './benchmark-report.ts'
import { measureRate, rateOf } from './benchmark-timing.ts'
import type { Pace, Rate } from './benchmark-timing.ts'

export interface LocalBenchmark {
  readonly pace: Pace
  readonly random: Random
  readonly codec: Codec
  /** Where a file is written, read, and removed again. */
  readonly disk: Disk
  /** Opens a file of that disk to be read in pieces of so many bytes; undefined where that is not possible. */
  readonly openUncached: (name: string, pieceBytes: number) => Promise<UncachedReader | undefined>
  /** How much is written to it at most, in bytes. */
  readonly diskBytesMax: number
  readonly onStage: (what: string) => void
}

/** Far more than a processor's caches, in chunks of the average length. */
const sampleBytes = packBytesTarget

/** @throws what the disk throws; its file is removed all the same. */
export async function measureLocal(benchmark: LocalBenchmark): Promise<LocalFigures> {
  const { random, onStage } = benchmark
  const noise = random.bytes(sampleBytes)
  const text = textLikeBytes(random, sampleBytes)
  onStage('the disk')
  const disk = await measureDisk(benchmark, noise)
  onStage('hashing')
  const hash = await measureHash(benchmark, noise)
  onStage('chunking')
  const chunk = await measureChunking(benchmark, noise)
  onStage('compression')
  const { ratio, ...compressible } = await measureCompression(benchmark, text)
  const { ratio: _, ...incompressible } = await measureCompression(benchmark, noise)
  return { ...disk, hash, chunk, compressible: { ...compressible, ratio }, incompressible }
}

async function measureDisk(
  benchmark: LocalBenchmark,
  noise: Uint8Array,
): Promise<Pick<LocalFigures, 'diskWrite' | 'diskRead'>> {
  const { disk, pace, random, diskBytesMax } = benchmark
  const path = `.twofold-benchmark-${randomHexId<string>(random)}`
  const file = await disk.create(path)
  try {
    const diskWrite = await measureWriting(pace, file, { noise, bytesMax: diskBytesMax })
    const uncached = await benchmark.openUncached(path, chunkBytesAverage)
    if (uncached === undefined) {
      return { diskWrite, diskRead: { ...(await measureCached(pace, file, diskWrite.bytes)), cached: true } }
    }
    try {
      return { diskWrite, diskRead: { ...(await measureRate(pace, () => uncached.next())), cached: false } }
    } finally {
      await uncached.close()
    }
  } finally {
    await file.close()
    await disk.remove(path)
  }
}

function measureWriting(
  pace: Pace,
  file: DiskFile,
  { noise, bytesMax }: { noise: Uint8Array; bytesMax: number },
): Promise<Rate> {
  let written = 0
  return measureRate(
    pace,
    async () => {
      const end = Math.min(bytesMax, written + noise.length)
      const start = written
      while (written < end) {
        pace.signal.throwIfAborted()
        const from = written - start
        const slice = noise.subarray(from, Math.min(from + chunkBytesAverage, end - start))
        await file.write(slice, written)
        written += slice.length
      }
      await file.sync()
      return end - start
    },
    bytesMax,
  )
}

function measureCached(pace: Pace, file: DiskFile, lengthBytes: number): Promise<Rate> {
  const target = Buffer.allocUnsafeSlow(chunkBytesAverage)
  let at = 0
  return measureRate(pace, async () => {
    const read = await file.read(target, at)
    at = (at + read) % lengthBytes
    return read
  })
}

function measureHash({ pace }: LocalBenchmark, noise: Uint8Array): Promise<Rate> {
  return measureRate(pace, () => {
    for (let at = 0; at < noise.length; at += chunkBytesAverage) blake3(noise.subarray(at, at + chunkBytesAverage))
    return noise.length
  })
}

function measureChunking({ pace }: LocalBenchmark, noise: Uint8Array): Promise<Rate> {
  const chunker = new Chunker()
  return measureRate(pace, () => {
    for (let at = 0; at < noise.length;) at = chunker.cut(noise, at, noise.length, true)
    return noise.length
  })
}

async function measureCompression(
  { pace, codec }: LocalBenchmark,
  content: Uint8Array,
): Promise<Rate & { readonly ratio: number }> {
  const { clock, signal, seconds } = pace
  let [next, bytes, stored] = [0, 0, 0]
  const startMs = clock.monotonicMs()
  const over = (): boolean => clock.monotonicMs() - startMs >= seconds * 1000
  const worker = async (): Promise<void> => {
    do {
      signal.throwIfAborted()
      const plain = content.subarray(next, next + chunkBytesAverage)
      next = (next + chunkBytesAverage) % content.length
      const frame = await codec.compress(plain)
      bytes += plain.length
      stored += frame?.length ?? plain.length
      await clock.yield()
    } while (!over())
  }
  await Promise.all(Array.from({ length: compressedAtOnce }, worker))
  return { ...rateOf(bytes, clock.monotonicMs() - startMs), ratio: bytes / stored }
}
