import { toHex } from '../../src/core/ids.ts'
import type { ChunkId, SessionId } from '../../src/core/ids.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { Violation } from './violation.ts'

/**
 * What clients were told is there already, so that they do not send it: as long as their session is open they rely on
 * it, however long they sleep.
 */
export class Pins {
  readonly #found = new Map<SessionId, Map<string, ChunkId>>()

  found(session: SessionId, chunks: readonly ChunkId[]): void {
    let known = this.#found.get(session)
    if (known === undefined) this.#found.set(session, (known = new Map<string, ChunkId>()))
    for (const chunk of chunks) known.set(toHex(chunk), chunk)
  }

  /** The catalogue is another one: nothing that was said before binds it. */
  forget(): void {
    this.#found.clear()
  }

  /** @throws Violation `I6` when something that an open session relies on was deleted. */
  async check(catalogue: Catalogue): Promise<void> {
    if (this.#found.size === 0) return
    const gone = await catalogue.read(async (tx) => {
      for (const [session, chunks] of this.#found) {
        const row = await tx.sessions.find(session)
        if (row?.state !== 'open') {
          this.#found.delete(session)
          continue
        }
        const [names, ids] = [[...chunks.keys()], [...chunks.values()]]
        const rows = await tx.chunks.find(row.vault, ids)
        const lost = names.find((_, index) => rows[index] === undefined)
        if (lost !== undefined) return { session, lost }
      }
      return undefined
    })
    if (gone === undefined) return
    const { session, lost } = gone
    throw new Violation('I6', `chunk ${lost.slice(0, 8)} was deleted while session ${session.slice(0, 8)} relies on it`)
  }
}
