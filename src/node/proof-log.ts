import type { Disk, DiskFile } from '../core/disk.ts'
import { isTwofoldError } from '../core/errors.ts'
import { fromHex, toHex } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { ignoreAbsence } from '../core/ignore-absence.ts'
import type { Logger } from '../core/logger.ts'
import { blake3 } from '../format/hash.ts'
import type { StoredPack } from './pack-store.ts'

const fileName = 'proofs.log'
const draftName = 'proofs.log.tmp'
/** Pack id 16, put sequence 8, time 8, the first 8 bytes of the BLAKE3 of these. */
const recordBytes = 40
/** Records that are read or written at once: 160 KiB. */
const batchRecords = 4096

export interface Proof {
  readonly packId: PackId
  readonly putSequence: number
  readonly provenAtMs: number
}

/**
 * When packs were last proven, in a file that only grows, until it is written anew because most of it is outdated. A
 * record that was torn or damaged is skipped; without the file every pack only looks older than it is. The file of an
 * earlier process is never written to: a file that was synced badly once is not trusted again.
 */
export class ProofLog {
  readonly #disk: Disk
  readonly #logger: Logger
  #file: DiskFile | undefined
  #records = 0
  #waiting: Proof[] = []

  constructor(disk: Disk, logger: Logger) {
    this.#disk = disk
    this.#logger = logger
  }

  /** Reads what an earlier process left; the last record of a pack counts. */
  async load(each: (proof: Proof) => void): Promise<void> {
    let file: DiskFile | undefined
    try {
      file = await this.#disk.open(fileName)
      const buffer = Buffer.alloc(recordBytes * batchRecords)
      for (let offset = 0; ; offset += buffer.length) {
        const read = await file.read(buffer, offset)
        for (let at = 0; at + recordBytes <= read; at += recordBytes) {
          const proof = decode(buffer.subarray(at, at + recordBytes))
          if (proof !== undefined) each(proof)
        }
        if (read < buffer.length) return
      }
    } catch (error) {
      if (isTwofoldError(error, 'not-found')) return
      this.#logger.warn('the times of proof cannot be read; packs look older than they are', { error })
    } finally {
      await file?.close()
    }
  }

  note(proof: Proof): void {
    this.#waiting.push(proof)
  }

  /**
   * Makes durable what was noted. Not to be called again before it ended.
   * @param held all packs of the store, for when the file is written anew
   * @throws as the disk; what was noted is then noted still.
   */
  async save(held: readonly StoredPack[]): Promise<void> {
    const noted = this.#waiting
    if (noted.length === 0) return
    const outgrown = this.#records + noted.length > 2 * held.length + batchRecords
    try {
      if (this.#file === undefined || outgrown) await this.#writeAnew(held)
      else await this.#append(this.#file, noted)
    } catch (error) {
      await this.close()
      throw error
    }
    this.#waiting = this.#waiting.slice(noted.length)
  }

  /** The file is not written to any more: the next proofs, if any come, go to a new one. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#records = 0
    await file?.close()
  }

  async #append(file: DiskFile, proofs: readonly Proof[]): Promise<void> {
    await this.#write(file, proofs)
    await file.sync()
  }

  async #write(file: DiskFile, proofs: readonly Proof[]): Promise<void> {
    await file.write(Buffer.concat(proofs.map(encode)), this.#records * recordBytes)
    this.#records += proofs.length
  }

  async #writeAnew(held: readonly StoredPack[]): Promise<void> {
    await this.close()
    // There is none unless a crash left it behind.
    await this.#disk.remove(draftName).catch(ignoreAbsence)
    this.#file = await this.#disk.create(draftName)
    const batch: Proof[] = []
    for (const { packId, putSequence, provenAtMs } of held) {
      if (provenAtMs === 0) continue
      batch.push({ packId, putSequence, provenAtMs })
      if (batch.length === batchRecords) await this.#write(this.#file, batch.splice(0))
    }
    await this.#append(this.#file, batch)
    await this.#disk.rename(draftName, fileName)
    await this.#disk.syncDirectory('')
  }
}

function encode({ packId, putSequence, provenAtMs }: Proof): Buffer {
  const record = Buffer.alloc(recordBytes)
  record.set(fromHex(packId))
  record.writeBigUInt64LE(BigInt(putSequence), 16)
  record.writeBigUInt64LE(BigInt(provenAtMs), 24)
  record.set(checksum(record), 32)
  return record
}

function decode(record: Buffer): Proof | undefined {
  if (!checksum(record).equals(record.subarray(32))) return undefined
  return {
    packId: toHex(record.subarray(0, 16)) as PackId,
    putSequence: Number(record.readBigUInt64LE(16)),
    provenAtMs: Number(record.readBigUInt64LE(24)),
  }
}

function checksum(record: Buffer): Buffer {
  return Buffer.from(blake3(record.subarray(0, 32))).subarray(0, 8)
}
