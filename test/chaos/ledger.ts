import type { ExitCode } from '../../src/cli/exit-codes.ts'

/** One backup, and what became of it. */
export interface Attempt {
  /** The tag of its snapshot. */
  readonly tag: string
  /** The folder that was backed up, and a copy of it as it was then. */
  readonly source: string
  readonly copy: string
  /** -1 for one that was killed. */
  readonly code: number
  /** Of the snapshot that was acknowledged. */
  readonly snapshotId: string | undefined
}

/**
 * How commands may end while everything around them fails. Not 1, which says nothing; and not 16: no fault damages the
 * last good copy, and who cannot be reached has lost nothing.
 */
const allowedOfBackup: readonly ExitCode[] = [0, 10, 11, 13, 14, 15]
const allowedOf = {
  restore: [0, 10, 14],
  forget: [0, 10, 13],
  prune: [0, 10, 13, 14],
} as const satisfies Record<string, readonly ExitCode[]>

/** What was promised, what was asked for in vain, and everything that should not have been. */
export class Ledger {
  readonly attempts: Attempt[] = []
  /** Ids of snapshots that somebody began to forget: until that was acknowledged they may be there or not. */
  readonly forgetting = new Set<string>()
  readonly forgotten = new Set<string>()
  readonly violations: string[] = []
  /** How often a command ended with which code: `backup 14`. */
  readonly endings = new Map<string, number>()
  /** The last words of each command that failed, in the way it may or not. */
  readonly failures: string[] = []
  /** How everything got in order after the faults, step by step. */
  readonly healing: string[] = []
  restoresCompared = 0
  snapshotsCompared = 0

  get acknowledged(): Attempt[] {
    return this.attempts.filter(({ snapshotId }) => snapshotId !== undefined)
  }

  violate(what: string): void {
    this.violations.push(what)
  }

  addBackup(attempt: Attempt, stderr: string): void {
    this.attempts.push(attempt)
    this.#addEnding('backup', attempt.code, { allowed: allowedOfBackup, what: attempt.tag, stderr })
    if (attempt.code === 0 && attempt.snapshotId === undefined) {
      this.violate(`${attempt.tag}: the backup ended with 0 and named no snapshot`)
    }
  }

  addCommand(command: keyof typeof allowedOf, what: string, { code, stderr }: { code: number; stderr: string }): void {
    this.#addEnding(command, code, { allowed: allowedOf[command], what, stderr })
  }

  countEnding(command: string, code: number): void {
    const ending = `${command} ${code === -1 ? 'killed' : code}`
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
  }

  #addEnding(
    command: string,
    code: number,
    { allowed, what, stderr }: { allowed: readonly number[]; what: string; stderr: string },
  ): void {
    this.countEnding(command, code)
    if (code <= 0) return
    const words = `${what}: ${command} ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`
    this.failures.push(words)
    if (!allowed.includes(code)) this.violate(words)
  }
}
