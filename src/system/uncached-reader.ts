import { constants, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { UncachedReader } from '../core/uncached-reader.ts'
import { classified } from './disk-error.ts'

/** What memory and offsets must be a multiple of wherever a disk is read directly. */
const alignmentBytes = 4096
/** What memory of Node's is a multiple of anyway. */
const stepBytes = 8

/**
 * Opens a file for reading in pieces of so many bytes, a multiple of 4096. Undefined where the file system cannot do
 * that.
 */
export async function openUncachedReader(path: string, pieceBytes: number): Promise<UncachedReader | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECT).catch(() => undefined)
  if (handle === undefined) return undefined
  const piece = await findAligned(handle, pieceBytes)
  if (piece === undefined) {
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

/** Nobody tells where memory is, but a read into the wrong place is refused. */
async function findAligned(handle: FileHandle, lengthBytes: number): Promise<Buffer | undefined> {
  const memory = Buffer.allocUnsafeSlow(lengthBytes + alignmentBytes)
  for (let start = 0; start < alignmentBytes; start += stepBytes) {
    const piece = memory.subarray(start, start + lengthBytes)
    const fits = await handle.read(piece, 0, alignmentBytes, 0).then(
      ({ bytesRead }) => bytesRead > 0,
      () => false,
    )
    if (fits) return piece
  }
  return undefined
}
