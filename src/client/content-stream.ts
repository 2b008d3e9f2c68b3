import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { lookupIdsMax, readTaskBytes, sliceBytesMax } from '../core/limits.ts'
import { TwofoldError } from '../core/errors.ts'
import type { CallOptions } from '../core/model.ts'
import type { Extent, TreeEntry } from '../format/tree.ts'
import type { ChunkLoader } from './chunk-loader.ts'
import type { RecentChunks } from './recent-chunks.ts'

interface Window {
  readonly extents: readonly Extent[]
  readonly chunks: Map<ChunkKey, Uint8Array>
}

const zeros = new Uint8Array(sliceBytesMax)

export interface ContentOptions extends CallOptions {
  /** For whoever reads many files: chunks that several of them share are loaded once. */
  readonly recent?: RecentChunks
}

/**
 * The content of a file in order, in pieces of at most 1 MiB; holes are zeros. One window of about `readTaskBytes` is
 * loaded ahead of the one that is being read.
 * @throws as `ChunkLoader.load`
 */
export async function* readContent(
  loader: ChunkLoader,
  { vault, entry }: { vault: string; entry: TreeEntry },
  options: ContentOptions = {},
): AsyncGenerator<Uint8Array> {
  const windows = cutWindows(loader.extents(vault, entry, options))
  const load = async (): Promise<Window | undefined> => {
    const next = await windows.next()
    return next.done === true ? undefined : await loadWindow(loader, { vault, extents: next.value }, options)
  }
  let ahead = load()
  for (;;) {
    const window = await ahead
    if (window === undefined) return
    ahead = load()
    // Its failure is met when its turn comes, or never when the reader leaves before.
    ahead.catch(() => undefined)
    for (const extent of window.extents) yield* cutPieces(extent, window.chunks)
  }
}

async function* cutWindows(extents: AsyncIterable<Extent>): AsyncGenerator<Extent[]> {
  let window: Extent[] = []
  let bytes = 0
  for await (const extent of extents) {
    window.push(extent)
    bytes += extent.chunk === undefined ? 0 : extent.length
    if (bytes < readTaskBytes && window.length < lookupIdsMax) continue
    yield window
    window = []
    bytes = 0
  }
  if (window.length > 0) yield window
}

async function loadWindow(
  loader: ChunkLoader,
  { vault, extents }: { vault: string; extents: readonly Extent[] },
  options: ContentOptions,
): Promise<Window> {
  const { recent } = options
  const chunks = new Map<ChunkKey, Uint8Array>()
  const missing: ChunkId[] = []
  for (const { chunk } of extents) {
    if (chunk === undefined) continue
    const plain = recent?.get(chunk)
    if (plain === undefined) missing.push(chunk)
    else chunks.set(chunkKey(chunk), plain)
  }
  for await (const { id, plain } of loader.load(vault, missing, options)) {
    chunks.set(chunkKey(id), plain)
    recent?.put(id, plain)
  }
  return { extents, chunks }
}

function* cutPieces({ chunk, chunkOffset, length }: Extent, chunks: Window['chunks']): Generator<Uint8Array> {
  const plain = chunk === undefined ? undefined : chunks.get(chunkKey(chunk))
  if (plain !== undefined && chunkOffset + length > plain.length) {
    throw new TwofoldError('integrity', 'an extent goes beyond the end of its chunk')
  }
  for (let done = 0; done < length; done += sliceBytesMax) {
    const end = Math.min(length, done + sliceBytesMax)
    yield plain === undefined ? zeros.subarray(0, end - done) : plain.subarray(chunkOffset + done, chunkOffset + end)
  }
}
