import type { ListedPack } from '../core/check-messages.ts'
import { isTwofoldError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import type { ExpectedRecord } from '../core/messages.ts'
import type { CallOptions, NodeRef } from '../core/model.ts'
import type { Codec } from '../format/codec.ts'
import { openRecord } from '../format/record.ts'
import type { StorageApi } from './storage-api.ts'

export interface CopyVerdict {
  readonly verdict: 'good' | 'bad' | 'unreachable'
  readonly problem: string
  /** Whether the node knows it by itself; what only we see must be reported. */
  readonly foundByNode: boolean
  readonly bytesRead: number
}

/** What says something about a copy, and not only about the way to it. */
const blaming = ['integrity', 'not-found', 'out-of-range', 'io', 'unsupported'] as const

/**
 * Has a node read its copy of a pack to the last byte and check every hash in it, then reads one record over the
 * network, as a restore would: a node cannot know that another good pack is in the place of this one.
 */
export async function checkCopy(
  deps: { readonly storage: StorageApi; readonly codec: Codec },
  { pack, node }: { readonly pack: ListedPack; readonly node: NodeRef },
  options: CallOptions,
): Promise<CopyVerdict> {
  try {
    const { good, problem, lengthBytes } = await deps.storage.verify(node, pack.packId, options)
    if (!good) return { verdict: 'bad', problem, foundByNode: true, bytesRead: lengthBytes }
    if (lengthBytes !== pack.lengthBytes) {
      const other = `it is another pack: ${lengthBytes} bytes long, not ${pack.lengthBytes}`
      return { verdict: 'bad', problem: other, foundByNode: false, bytesRead: lengthBytes }
    }
    if (pack.sample !== undefined) await readRecord(deps, { pack, node, record: pack.sample }, options)
    return { verdict: 'good', problem: '', foundByNode: true, bytesRead: lengthBytes }
  } catch (error) {
    options.signal?.throwIfAborted()
    const { message } = toTwofoldError(error)
    const verdict = isTwofoldError(error, ...blaming) ? 'bad' : 'unreachable'
    return { verdict, problem: message, foundByNode: false, bytesRead: 0 }
  }
}

async function readRecord(
  deps: { readonly storage: StorageApi; readonly codec: Codec },
  { pack, node, record }: { pack: ListedPack; node: NodeRef; record: ExpectedRecord },
  options: CallOptions,
): Promise<void> {
  const { chunkId, offset, length } = record
  const slices: Uint8Array[] = []
  const request = { packId: pack.packId, ranges: [{ offset, length }] }
  // The memory of a slice is used again for the next one.
  for await (const { data } of deps.storage.read(node, request, options)) slices.push(new Uint8Array(data))
  try {
    await openRecord(Buffer.concat(slices), chunkId, deps.codec)
  } catch (error) {
    if (!isTwofoldError(error, 'integrity', 'invalid-argument')) throw error
    throw new TwofoldError('integrity', `it is another pack: ${error.message}`, { cause: error })
  }
}
