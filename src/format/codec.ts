import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { TwofoldError } from '../core/errors.ts'

/** Compression of record bodies: zstd, or nothing where it does not pay. */
export interface Codec {
  /** The zstd frame of `plain`, or undefined when the bytes should be kept as they are. */
  compress(plain: Uint8Array): Promise<Uint8Array | undefined>
  /**
   * Gives back the `plainLength` bytes of a frame, and never allocates much more than that.
   * @throws TwofoldError `integrity` when `stored` is no frame of exactly that many bytes.
   */
  decompress(stored: Uint8Array, plainLength: number): Promise<Uint8Array>
}

/** How hard to compress: what it costs and what it gives is zstd's. */
export const compressions = ['off', 'fastest', 'auto', 'better', 'max'] as const
export type Compression = (typeof compressions)[number]

const levels: Readonly<Record<Exclude<Compression, 'off'>, number>> = { fastest: 1, auto: 3, better: 9, max: 19 }
/** Below this the gain is small beside the record's header, and not worth the 40 µs that it costs to begin. */
const smallestWorthBytes = 256
/** From here on a sample decides whether compressing is tried at all. */
const sampleFromBytes = 64 * 1024
const samplePieces = 4
const samplePieceBytes = 4096
/** A sample that keeps more than this share of its length stands for data that is compressed or encrypted already. */
const sampleRatioMax = 0.95
/** Handing work to another thread costs more than compressing this much. */
const inlineBelowBytes = 16 * 1024
/** Room for a frame's header and block headers beside the data, so that one buffer takes everything. */
const frameSlackBytes = 1024

function compressOptions(plain: Uint8Array, level: number): zlib.ZstdOptions {
  return {
    chunkSize: plain.length + (plain.length >>> 8) + frameSlackBytes,
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: plain.length,
  }
}

function decompressOptions(plainLength: number): zlib.ZstdOptions {
  return { chunkSize: plainLength + frameSlackBytes, maxOutputLength: Math.max(1, plainLength) }
}

/** Pieces from all over, because one place of a bundle or an archive says little about the rest. */
function sampleOf(plain: Uint8Array): Uint8Array {
  const sample = new Uint8Array(samplePieces * samplePieceBytes)
  const stride = Math.floor((plain.length - samplePieceBytes) / (samplePieces - 1))
  for (let piece = 0; piece < samplePieces; piece++) {
    sample.set(plain.subarray(piece * stride, piece * stride + samplePieceBytes), piece * samplePieceBytes)
  }
  return sample
}

function looksIncompressible(plain: Uint8Array): boolean {
  if (plain.length < smallestWorthBytes) return true
  if (plain.length < sampleFromBytes) return false
  const sample = sampleOf(plain)
  const frame = zlib.zstdCompressSync(sample, compressOptions(sample, levels.auto))
  return frame.length > sample.length * sampleRatioMax
}

function smaller(frame: Uint8Array, plain: Uint8Array): Uint8Array | undefined {
  return frame.length < plain.length ? frame : undefined
}

function checkLength(plain: Uint8Array, plainLength: number): Uint8Array {
  if (plain.length === plainLength) return plain
  throw new TwofoldError(
    'integrity',
    `a record's body has ${plain.length} bytes after decompression, but its header says ${plainLength}`,
  )
}

function badFrame(cause: unknown): TwofoldError {
  return new TwofoldError('integrity', `a record's body is no valid zstd frame of the length its header says`, {
    cause,
  })
}

function compressInline(plain: Uint8Array, level: number): Uint8Array | undefined {
  return smaller(zlib.zstdCompressSync(plain, compressOptions(plain, level)), plain)
}

function decompressInline(stored: Uint8Array, plainLength: number): Uint8Array {
  let plain: Uint8Array
  try {
    plain = zlib.zstdDecompressSync(stored, decompressOptions(plainLength))
  } catch (error) {
    throw badFrame(error)
  }
  return checkLength(plain, plainLength)
}

/** Works synchronously: the same order of events on every run, as a simulation needs it. */
export const inlineCodec: Codec = {
  async compress(plain) {
    return looksIncompressible(plain) ? undefined : compressInline(plain, levels.auto)
  },
  async decompress(stored, plainLength) {
    return decompressInline(stored, plainLength)
  },
}

const compressInPool = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)
const decompressInPool = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

/** Large bodies are compressed by the thread pool, so that several run at once; small ones at once. */
export function createThreadPoolCodec(compression: Compression): Codec {
  return { compress: compressorOf(compression), decompress }
}

function compressorOf(compression: Compression): Codec['compress'] {
  if (compression === 'off') return async () => undefined
  const level = levels[compression]
  return async (plain) => {
    // Whoever wants the least there can be lets it be tried.
    if (compression === 'max' ? plain.length < smallestWorthBytes : looksIncompressible(plain)) return undefined
    if (plain.length < inlineBelowBytes) return compressInline(plain, level)
    return smaller(await compressInPool(plain, compressOptions(plain, level)), plain)
  }
}

async function decompress(stored: Uint8Array, plainLength: number): Promise<Uint8Array> {
  if (plainLength < inlineBelowBytes) return decompressInline(stored, plainLength)
  try {
    return checkLength(await decompressInPool(stored, decompressOptions(plainLength)), plainLength)
  } catch (error) {
    throw error instanceof TwofoldError ? error : badFrame(error)
  }
}

export const threadPoolCodec: Codec = createThreadPoolCodec('auto')
