import { constants, open } from 'node:fs/promises'
import { blockBytes, pageAligned } from '../core/direct-io.ts'
import type { UncachedReader } from '../core/uncached-reader.ts'
import { classified } from './disk-error.ts'

/**
 * Opens a file for reading in pieces of so many bytes, a multiple of `blockBytes`. Undefined where the file system
 * cannot do that.
 */
export async function openUncachedReader(path: string, pieceBytes: number): Promise<UncachedReader | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECT).catch(() => undefined)
  if (handle === undefined) return undefined
  const piece = pageAligned(pieceBytes)
  try {
    await handle.read(piece, 0, blockBytes, 0)
  } catch {
    await handle.close()
    return undefined
  }
  let at = 0
  return {
    next: () =>
      classified(`read ${path}`, async () => {
        const { bytesRead } = await handle.read(piece, 0, piece.length, at)
        at = bytesRead < piece.length ? 0 : at + bytesRead
        return bytesRead
      }),
    close: () => classified(`close ${path}`, () => handle.close()),
  }
}
