import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { damagedPerHeartbeatMax, readAgainAfterMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { DamagedCopy } from '../core/messages.ts'
import type { NodeLease } from './node-lease.ts'
import type { PackReader, PackStore, StoredPack } from './pack-store.ts'
import { ProvenReports } from './proven-reports.ts'

export interface CustodianDeps {
  readonly store: PackStore
  readonly lease: NodeLease
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Through whom a node reads its packs. A copy that turns out to be damaged is put aside, whoever came across it; one
 * that was found good is noted. The manager is told of both.
 */
export class Custodian {
  readonly #deps: CustodianDeps
  readonly proven = new ProvenReports()

  constructor(deps: CustodianDeps) {
    this.#deps = deps
  }

  /** What is put aside, as the manager is told. */
  damaged(): DamagedCopy[] {
    const copies: DamagedCopy[] = []
    for (const { packId, putSequence, problem, foundAtMs } of this.#deps.store.quarantined()) {
      if (copies.length === damagedPerHeartbeatMax) break
      copies.push({ packId, putSequence, problem, foundAtMs })
    }
    return copies
  }

  /**
   * Opens a pack. A read that meets the end of the file too early puts it aside, and so does a disk that cannot give
   * its bytes, also when it is asked again.
   * @throws `not-found`; `integrity` when it is damaged; others as the store, and then the copy is not blamed.
   */
  async open(packId: PackId): Promise<PackReader> {
    const { store } = this.#deps
    const listed = store.stat(packId)
    try {
      return this.#watched(await store.open(packId))
    } catch (error) {
      if (listed === undefined || !isTwofoldError(error, 'integrity')) throw error
      await this.condemn(listed, error.message)
      throw error
    }
  }

  /** What fails because the file was closed says nothing of it: whoever read it was broken off. */
  #watched(reader: PackReader): PackReader {
    const { pack } = reader
    let closed = false
    const requireOpen = (): void => {
      if (closed) throw new TwofoldError('cancelled', `pack ${pack.packId} is not read any more`)
    }
    return {
      pack,
      read: async (target, offset) => {
        requireOpen()
        const read = await this.#blaming(pack, requireOpen, () => reader.read(target, offset))
        requireOpen()
        if (read === Math.min(target.length, Math.max(0, pack.lengthBytes - offset))) return read
        const problem = `it ends after ${offset + read} bytes`
        await this.condemn(pack, problem)
        throw new TwofoldError('integrity', `this node's copy of pack ${pack.packId} is damaged: ${problem}`)
      },
      close: () => {
        closed = true
        return reader.close()
      },
    }
  }

  /** A disk that goes on failing to read a file it has opened has lost a part of it; short of memory it has not. */
  async #blaming(pack: StoredPack, requireOpen: () => void, read: () => Promise<number>): Promise<number> {
    const { clock, logger } = this.#deps
    for (let attempt = 0; ; attempt++) {
      try {
        return await read()
      } catch (error) {
        requireOpen()
        if (!isTwofoldError(error, 'io')) throw error
        const problem = describeError(error)
        const waitMs = readAgainAfterMs[attempt]
        if (waitMs === undefined) await this.condemn(pack, problem)
        if (waitMs === undefined) throw error
        logger.warn('a pack could not be read, and is read again', { packId: pack.packId, problem })
        await clock.sleep(waitMs)
        requireOpen()
      }
    }
  }

  /** Puts a copy aside. It may be gone already, by an order or because a newer put took its place. */
  async condemn({ packId, putSequence }: StoredPack, problem: string): Promise<void> {
    const { store, lease } = this.#deps
    const foundAtMs = lease.knowsTime ? lease.managerNowMs() : 0
    await store.quarantine(packId, putSequence, { problem, foundAtMs })
  }

  /** Takes note that all of a copy was read and is good. */
  acquit({ packId, putSequence }: StoredPack): void {
    const { store, lease } = this.#deps
    if (!lease.knowsTime || store.stat(packId)?.putSequence !== putSequence) return
    const provenAtMs = lease.managerNowMs()
    store.markProven(packId, putSequence, provenAtMs)
    this.proven.add({ packId, putSequence, provenAtMs })
  }
}
