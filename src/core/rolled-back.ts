import { TwofoldError, isTwofoldError } from './errors.ts'

const field = 'storeRolledBackFrom'
const bootField = 'bootNumber'

/** What the manager answers to a node whose disk is older than what it knows: it may go on under a new incarnation. */
export function rolledBackError(name: string, putSequence: number, acknowledged: number): TwofoldError {
  return new TwofoldError(
    'failed-precondition',
    `the store of node ${name} is older than what the manager knows: its newest put is ${putSequence}, and ` +
      `${acknowledged} was acknowledged; it looks like a disk that was rolled back`,
    { fields: { [field]: String(acknowledged) } },
  )
}

/**
 * What the manager answers to a process that started before one that it knows. A disk that was rolled back may go on as
 * above, with a number above `known`; nobody else is there any more to hear it.
 */
export function oldBootError(name: string, bootNumber: number, known: KnownLife): TwofoldError {
  return new TwofoldError(
    'failed-precondition',
    `start ${bootNumber} of node ${name} was followed by start ${known.bootNumber}: this one is over, ` +
      'or its disk was rolled back',
    { fields: { [field]: String(known.putSequence), [bootField]: String(known.bootNumber) } },
  )
}

export interface KnownLife {
  readonly putSequence: number
  readonly bootNumber: number
}

/** The start that the manager knows, if `error` names one; else 0. */
export function knownBootNumber(error: unknown): number {
  const known = isTwofoldError(error) ? Number(error.fields[bootField] ?? 0) : 0
  return Number.isSafeInteger(known) ? known : 0
}

/** The newest put that was acknowledged, if `error` says that the store was rolled back; undefined for other errors. */
export function rolledBackFrom(error: unknown): number | undefined {
  if (!isTwofoldError(error, 'failed-precondition')) return undefined
  const acknowledged = Number(error.fields[field] ?? Number.NaN)
  return Number.isSafeInteger(acknowledged) ? acknowledged : undefined
}
