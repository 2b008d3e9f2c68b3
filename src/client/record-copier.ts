import type { Clock } from '../core/clock.ts'
import { TwofoldError, toTwofoldError } from '../core/errors.ts'
import { asBuffer, toHex } from '../core/ids.ts'
import { readTaskBytes, streamIdleMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { NeededRecord, RepackablePack } from '../core/admin-messages.ts'
import type { NodeRef } from '../core/model.ts'
import { blake3 } from '../format/hash.ts'
import { decodeRecordHeader, recordHeaderBytes } from '../format/record.ts'
import type { SealedRecord } from '../format/record.ts'
import { mergeRanges } from './read-plan.ts'
import { RecordAssembler } from './record-assembler.ts'
import { StallGuard } from './stall-guard.ts'
import type { StorageApi } from './storage-api.ts'

export interface RecordCopierDeps {
  readonly storage: StorageApi
  readonly clock: Clock
  readonly logger: Logger
}

/** Reads records as they are, without taking them apart, from whichever copy of a pack is good. */
export class RecordCopier {
  readonly #deps: RecordCopierDeps

  constructor(deps: RecordCopierDeps) {
    this.#deps = deps
  }

  /**
   * The records in the order of their offsets, each verified against its header's hash; about `readTaskBytes` are in
   * memory.
   * @throws TwofoldError `integrity` or what the last copy failed with, when no copy has all of a part
   */
  async *read(pack: RepackablePack, signal: AbortSignal): AsyncGenerator<SealedRecord> {
    for (const part of parts(pack.records)) yield* await this.#readPart(pack, part, signal)
  }

  async #readPart(
    { pack }: RepackablePack,
    part: readonly NeededRecord[],
    signal: AbortSignal,
  ): Promise<readonly SealedRecord[]> {
    let failure = new TwofoldError('integrity', `no node holds pack ${pack.packId} any more`)
    for (const node of pack.nodes) {
      try {
        return await this.#readCopy(node, { packId: pack.packId, part }, signal)
      } catch (error) {
        signal.throwIfAborted()
        failure = toTwofoldError(error)
        this.#deps.logger.warn('a copy could not be read; trying the others', {
          node: node.name,
          pack: pack.packId,
          error,
        })
      }
    }
    throw failure
  }

  async #readCopy(
    node: NodeRef,
    { packId, part }: { packId: RepackablePack['pack']['packId']; part: readonly NeededRecord[] },
    signal: AbortSignal,
  ): Promise<readonly SealedRecord[]> {
    const records: SealedRecord[] = []
    const assembler = new RecordAssembler(part, (record, bytes) => records.push(openSealed(record, bytes)))
    const guard = new StallGuard(this.#deps.clock, streamIdleMs, signal)
    try {
      const request = { packId, ranges: mergeRanges(part) }
      for await (const slice of guard.watch(this.#deps.storage.read(node, request, { signal: guard.signal }))) {
        assembler.push(slice)
        if (assembler.complete) break
      }
    } catch (error) {
      throw guard.stalled ?? error
    } finally {
      guard.release()
    }
    if (!assembler.complete) throw new TwofoldError('integrity', 'the node sent less than was asked for')
    return records
  }
}

function* parts(records: readonly NeededRecord[]): Generator<readonly NeededRecord[]> {
  let part: NeededRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (part.length > 0 && bytes + record.length > readTaskBytes) {
      yield part
      part = []
      bytes = 0
    }
    part.push(record)
    bytes += record.length
  }
  if (part.length > 0) yield part
}

/** @throws TwofoldError `integrity` when it is not the whole record of that chunk */
function openSealed({ chunkId }: NeededRecord, bytes: Uint8Array): SealedRecord {
  const header = decodeRecordHeader(bytes)
  const stored = bytes.subarray(recordHeaderBytes)
  const whole =
    asBuffer(header.chunkId).equals(chunkId) &&
    stored.length === header.storedLength &&
    asBuffer(header.storedHash).equals(blake3(stored))
  if (!whole) throw new TwofoldError('integrity', `chunk ${toHex(chunkId).slice(0, 16)} is damaged`)
  const refs = stored.subarray(0, header.refsLength)
  const rest = { header: bytes.subarray(0, recordHeaderBytes), stored, ownsStored: false, refs }
  return { chunkId, kind: header.kind, plainLength: header.plainLength, ...rest }
}
