import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { asBuffer, toHex } from '../core/ids.ts'
import { adminRequestsDroppedAtOnce, adminRequestsKeptMs, requestIdCharactersMax } from '../core/limits.ts'
import { blake3 } from '../format/hash.ts'
import type { CatalogueWriter } from './catalogue.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'

/** What people decide, as a request with an id of its caller's choice; without one it is not remembered. */
export interface Decision {
  readonly kind: string
  readonly request: { readonly requestId?: string | undefined }
  /** Whether it changes what the catalogue says, which an older copy of one does not do. */
  readonly changes?: boolean
}

/** Refusals that are answers like any other: a request that was refused stays refused when it arrives again. */
const refusals: readonly ErrorCode[] = ['failed-precondition', 'not-found', 'invalid-argument', 'already-exists']

interface Remembered {
  readonly value?: unknown
  readonly refusal?: { readonly code: ErrorCode; readonly message: string; readonly fields: Record<string, string> }
}

/**
 * Carries a decision out once, however often and however late its request arrives: its answer is kept in the same
 * transaction, and given again. Otherwise an old request that the network repeats would undo what was decided since.
 * @param work in a transaction; its answer must survive JSON.
 * @throws `invalid-argument` when the id was used for another request; `failed-precondition` when it would change
 * something and the catalogue is an older copy, which is not remembered; otherwise as `work`
 */
export async function once<T>(
  context: ManagerContext,
  decision: Decision,
  work: (tx: CatalogueWriter) => Promise<T>,
): Promise<T> {
  const { requestId = '', ...about } = decision.request
  const requireWritable = (): void => {
    if (decision.changes === true) context.lineage.requireWritable()
  }
  if (requestId === '') {
    return context.catalogue.write((tx) => {
      requireWritable()
      return work(tx)
    })
  }
  if (requestId.length > requestIdCharactersMax) throw invalid(`has more than ${requestIdCharactersMax} characters`)
  const digest = blake3(Buffer.from(JSON.stringify([decision.kind, Object.entries(about).sort()])))
  const remember = (tx: CatalogueWriter, answer: Remembered): Promise<void> =>
    keep(context, tx, { requestId, digest, answer: JSON.stringify(answer) })
  try {
    return await context.catalogue.write(async (tx) => {
      requireWritable()
      const known = await tx.requests.find(requestId)
      if (known === undefined) {
        const value = await work(tx)
        await remember(tx, { value })
        await tellNodes(tx, requestId)
        return value
      }
      if (!asBuffer(known.digest).equals(digest)) throw new Reused()
      return giveAgain(JSON.parse(known.answer) as Remembered) as T
    })
  } catch (error) {
    if (error instanceof Reused) throw invalid('was used for another request')
    if (!isTwofoldError(error, ...refusals)) throw error
    // Nothing is written into an older copy, not even that it refused.
    requireWritable()
    const refusal = { code: error.code, message: error.message, fields: { ...error.fields } }
    // Whoever was faster has an answer that stays.
    await context.catalogue.write(async (tx) => {
      if ((await tx.requests.find(requestId)) === undefined) await remember(tx, { refusal })
    })
    throw error
  }
}

class Reused extends Error {}

function invalid(how: string): TwofoldError {
  return new TwofoldError('invalid-argument', `this request id ${how}; take a new one`)
}

function giveAgain({ value, refusal }: Remembered): unknown {
  if (refusal === undefined) return value
  throw new TwofoldError(refusal.code, refusal.message, { fields: refusal.fields })
}

/** A catalogue that is made again from the nodes must know what was carried out, or it would be once more. */
async function tellNodes(tx: CatalogueWriter, requestId: string): Promise<void> {
  const row = await tx.requests.find(requestId)
  if (row === undefined) return
  const { timeMs, digest, answer } = row
  await appendToLog(tx, 'request', { requestId, timeMs, digest: toHex(digest), answer })
}

async function keep(
  context: ManagerContext,
  tx: CatalogueWriter,
  row: { requestId: string; digest: Uint8Array; answer: string },
): Promise<void> {
  const timeMs = Math.round(context.time.nowMs())
  await tx.requests.dropBefore(timeMs - adminRequestsKeptMs, adminRequestsDroppedAtOnce)
  await tx.requests.add({ ...row, timeMs })
}
