import { isTwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { sliceBytesMax } from '../core/limits.ts'
import { PackVerifier } from '../format/pack-verifier.ts'
import type { PackStore } from './pack-store.ts'

export type PackCheck =
  | { readonly good: true; readonly digest: Uint8Array; readonly records: number; readonly lengthBytes: number }
  | { readonly good: false; readonly problem: string; readonly records: number; readonly lengthBytes: number }

/**
 * Reads a pack from the disk and checks every hash in it, in bounded memory.
 * @throws `not-found`, and `io` when it cannot be read; damage is an answer.
 */
export async function verifyPack(store: PackStore, packId: PackId, signal?: AbortSignal): Promise<PackCheck> {
  const reader = await store.open(packId)
  const { lengthBytes } = reader.pack
  try {
    const verifier = new PackVerifier({ lengthBytes })
    const buffer = new Uint8Array(sliceBytesMax)
    for (let offset = 0; offset < lengthBytes;) {
      signal?.throwIfAborted()
      const read = await reader.read(buffer, offset)
      if (read === 0) return { good: false, problem: `it ends after ${offset} bytes`, records: 0, lengthBytes }
      verifier.push(buffer.subarray(0, read))
      offset += read
    }
    const { digest, entries } = verifier.finish()
    return { good: true, digest, records: entries.length, lengthBytes }
  } catch (error) {
    if (!isTwofoldError(error, 'integrity', 'unsupported', 'invalid-argument')) throw error
    return { good: false, problem: error.message, records: 0, lengthBytes }
  } finally {
    await reader.close()
  }
}
