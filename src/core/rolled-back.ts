import { TwofoldError, isTwofoldError } from './errors.ts'

const field = 'storeRolledBackFrom'

/** What the manager answers to a node whose disk is older than what it knows: it may go on under a new incarnation. */
export function rolledBackError(name: string, putSequence: number, acknowledged: number): TwofoldError {
  return new TwofoldError(
    'failed-precondition',
    `the store of node ${name} is older than what the manager knows: its newest put is ${putSequence}, and ` +
      `${acknowledged} was acknowledged; it looks like a disk that was rolled back`,
    { fields: { [field]: String(acknowledged) } },
  )
}

/** The newest put that was acknowledged, if `error` says that the store was rolled back; undefined for other errors. */
export function rolledBackFrom(error: unknown): number | undefined {
  if (!isTwofoldError(error, 'failed-precondition')) return undefined
  const acknowledged = Number(error.fields[field] ?? Number.NaN)
  return Number.isSafeInteger(acknowledged) ? acknowledged : undefined
}
