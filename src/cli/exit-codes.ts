import type { ErrorCode } from '../core/errors.ts'

/** What every exit code means. They are restic's where restic has one. */
export const exitCodes = {
  0: 'it worked',
  1: 'it failed',
  3: 'done, but some source files could not be read',
  10: 'no such cluster, snapshot or file',
  11: 'busy: too much is in progress, or somebody else uses the data directory',
  12: 'permission denied',
  13: 'refused: the state of the cluster forbids it',
  14: 'not enough nodes, or no room on them',
  15: 'saved, but with fewer copies than wanted',
  16: 'data is damaged: bytes do not match their hash',
  17: 'a condition of --fail-on holds',
  130: 'interrupted',
} as const

export type ExitCode = keyof typeof exitCodes

/** The exit code of a failure. */
export const exitCodeOf: Readonly<Record<ErrorCode, ExitCode>> = {
  'invalid-argument': 1,
  ambiguous: 1,
  'not-found': 10,
  'already-exists': 13,
  'failed-precondition': 13,
  'session-ended': 13,
  'missing-chunks': 14,
  'not-registered': 13,
  fenced: 13,
  'read-only': 13,
  'permission-denied': 12,
  'not-enough-nodes': 14,
  'no-room': 14,
  overloaded: 11,
  unavailable: 10,
  'deadline-exceeded': 10,
  integrity: 16,
  'out-of-range': 1,
  cancelled: 130,
  io: 1,
  unsupported: 1,
  internal: 1,
}
