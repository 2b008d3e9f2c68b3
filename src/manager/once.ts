import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import { adminRequestsDroppedAtOnce, adminRequestsKeptMs, requestIdCharactersMax } from '../core/limits.ts'
import { blake3 } from '../format/hash.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { ManagerContext } from './context.ts'

/** What people decide, as a request with an id of its caller's choice; without one it is not remembered. */
export interface Decision {
  readonly kind: string
  readonly request: { readonly requestId?: string | undefined }
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
 * @throws `invalid-argument` when the id was used for another request; otherwise as `work`
 */
export async function once<T>(
  context: ManagerContext,
  decision: Decision,
  work: (tx: CatalogueWriter) => Promise<T>,
): Promise<T> {
  const { requestId = '', ...about } = decision.request
  if (requestId === '') return context.catalogue.write(work)
  if (requestId.length > requestIdCharactersMax) throw invalid(`has more than ${requestIdCharactersMax} characters`)
  const digest = blake3(Buffer.from(JSON.stringify([decision.kind, Object.entries(about).sort()])))
  const remember = (tx: CatalogueWriter, answer: Remembered): Promise<void> =>
    keep(context, tx, { requestId, digest, answer: JSON.stringify(answer) })
  try {
    return await context.catalogue.write(async (tx) => {
      const known = await tx.requests.find(requestId)
      if (known === undefined) {
        const value = await work(tx)
        await remember(tx, { value })
        return value
      }
      if (!asBuffer(known.digest).equals(digest)) throw new Reused()
      return giveAgain(JSON.parse(known.answer) as Remembered) as T
    })
  } catch (error) {
    if (error instanceof Reused) throw invalid('was used for another request')
    if (!isTwofoldError(error, ...refusals)) throw error
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

async function keep(
  context: ManagerContext,
  tx: CatalogueWriter,
  row: { requestId: string; digest: Uint8Array; answer: string },
): Promise<void> {
  const timeMs = Math.round(context.time.nowMs())
  await tx.requests.dropBefore(timeMs - adminRequestsKeptMs, adminRequestsDroppedAtOnce)
  await tx.requests.add({ ...row, timeMs })
}
