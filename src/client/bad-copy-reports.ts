import { describeError, isTwofoldError } from '../core/errors.ts'
import { badCopiesReportedMax } from '../core/limits.ts'
import type { BadCopyReport } from '../core/messages.ts'
import type { Logger } from '../core/logger.ts'
import type { ManagerApi } from './manager-api.ts'
import type { CopyProblem } from './pack-reader.ts'

/**
 * Tells the manager of copies that turned out to be bad, once each and one after the other, beside whatever is being
 * read: the node checks its copy, and it is replaced. A report that fails is given up; whoever meets the copy next
 * reports it again.
 */
export class BadCopyReports {
  readonly #manager: Pick<ManagerApi, 'reportBadCopy'>
  readonly #logger: Logger
  readonly #told = new Set<string>()
  #sending: Promise<void> = Promise.resolve()
  #taken = 0

  constructor(manager: Pick<ManagerApi, 'reportBadCopy'>, logger: Logger) {
    this.#manager = manager
    this.#logger = logger
  }

  /** How many copies are checked because of reports. */
  get taken(): number {
    return this.#taken
  }

  /** Returns at once. */
  add(found: CopyProblem): void {
    const { node, packId } = found
    const key = `${node.nodeId} ${packId}`
    if (!isBad(found) || this.#told.has(key) || this.#told.size >= badCopiesReportedMax) return
    this.#told.add(key)
    this.#sending = this.#sending.then(() => this.#send(found))
  }

  /** Waits for reports that are on their way. */
  async settle(): Promise<void> {
    await this.#sending
  }

  #send({ node, packId, error }: CopyProblem): Promise<void> {
    return this.tell({ packId, nodeId: node.nodeId, problem: error.message })
  }

  /** Reports a copy, whether or not it was reported before. */
  async tell(report: BadCopyReport): Promise<void> {
    const { packId } = report
    try {
      const ordered = await this.#manager.reportBadCopy(report)
      if (ordered) this.#taken += 1
    } catch (failure) {
      this.#logger.warn('a bad copy could not be reported', { pack: packId, problem: describeError(failure) })
    }
  }
}

/** Whether the copy is to blame, and not the way to it. */
function isBad({ error }: CopyProblem): boolean {
  return isTwofoldError(error, 'integrity', 'not-found', 'out-of-range', 'io')
}
