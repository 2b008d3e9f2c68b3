import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import { witnessPatienceMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { CommittedSnapshot, NodeRef } from '../core/model.ts'
import type { ManagerApi } from './manager-api.ts'
import type { StorageApi } from './storage-api.ts'

interface Deps {
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly clock: Clock
  readonly logger: Logger
}

const pauseMs = 500

/** How often a commit is asked for anew because nodes have heard of a newer life of the manager meanwhile. */
const commitsMax = 3

/**
 * Commits, and has nodes record that the snapshot is committed, so that a catalogue which is restored from an older
 * copy is recognised: first those that hold it, then any others that are up. Only then may anybody be told that it is
 * there.
 *
 * A node that has heard from a manager that was started again takes no statement of before. What the same commit is
 * answered with now speaks for that manager; when nodes refuse it, too, it has an older catalogue.
 * @param commit may be repeated
 * @throws TwofoldError `not-enough-nodes` when too few could, `failed-precondition` when one knows of a newer log. The
 * snapshot exists in both cases, but is not acknowledged; committing it again repeats this.
 */
export async function commitAndWitness(
  deps: Deps,
  commit: () => Promise<CommittedSnapshot>,
  signal: AbortSignal | undefined,
): Promise<CommittedSnapshot> {
  for (let commits = 1; ; commits++) {
    const committed = await commit()
    try {
      await witnessCommit(deps, committed, signal)
      return committed
    } catch (error) {
      if (commits === commitsMax || !isTwofoldError(error) || !isTwofoldError(error.cause, 'fenced')) throw error
      deps.logger.debug('a node refuses the statement of a commit, which is asked for again', { error })
    }
  }
}

async function witnessCommit(deps: Deps, committed: CommittedSnapshot, signal: AbortSignal | undefined): Promise<void> {
  const round = new Round(deps, committed, signal)
  const giveUpMs = deps.clock.monotonicMs() + witnessPatienceMs
  for (;;) {
    if (await round.ask(committed.durability.nodes)) return
    if (await round.ask(await others(deps, signal))) return
    if (deps.clock.monotonicMs() + pauseMs > giveUpMs) throw round.tooFew()
    await deps.clock.sleep(pauseMs, signal)
  }
}

async function others({ manager, logger }: Deps, signal: AbortSignal | undefined): Promise<readonly NodeRef[]> {
  try {
    const nodes = await manager.listNodes({ signal })
    return nodes.filter(({ state }) => state === 'up').map(({ node }) => node)
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    logger.debug('cannot ask for other nodes to record a commit', { error })
    return []
  }
}

class Round {
  readonly #deps: Deps
  readonly #committed: CommittedSnapshot
  readonly #signal: AbortSignal | undefined
  readonly #recorded = new Set<string>()
  #refusal = ''

  constructor(deps: Deps, committed: CommittedSnapshot, signal: AbortSignal | undefined) {
    this.#deps = deps
    this.#committed = committed
    this.#signal = signal
  }

  get #missing(): number {
    return this.#committed.witnessesNeeded - this.#recorded.size
  }

  /** Asks nodes that have not recorded it, one more at a time than are needed. @returns whether that is enough. */
  async ask(nodes: readonly NodeRef[]): Promise<boolean> {
    const waiting = nodes.filter(({ nodeId }) => !this.#recorded.has(nodeId))
    while (this.#missing > 0 && waiting.length > 0) await this.#askSome(waiting.splice(0, this.#missing + 1))
    return this.#missing <= 0
  }

  /** Resolves when enough have recorded it, without waiting for the rest, or when all have answered. */
  #askSome(nodes: readonly NodeRef[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const asked = nodes.map(async (node) => {
      await this.#askOne(node)
      if (this.#missing <= 0) resolve()
    })
    Promise.all(asked).then(() => resolve(), reject)
    return promise
  }

  async #askOne(node: NodeRef): Promise<void> {
    try {
      await this.#deps.storage.witness(node, this.#committed.statement, { signal: this.#signal })
      this.#recorded.add(node.nodeId)
    } catch (error) {
      if (this.#signal?.aborted === true) throw this.#signal.reason
      if (isTwofoldError(error, 'fenced')) throw this.#refused(node, error)
      this.#refusal = `${node.name}: ${describeError(error)}`
      this.#deps.logger.debug('a node did not record a commit', { node: node.name, error })
    }
  }

  #refused(node: NodeRef, cause: TwofoldError): TwofoldError {
    const what = `node ${node.name} says that ${cause.message}`
    const message = `the snapshot ${this.#id} was saved, but it is not safe: ${what}`
    return new TwofoldError('failed-precondition', message, { cause, fields: this.#fields })
  }

  tooFew(): TwofoldError {
    const { witnessesNeeded } = this.#committed
    const message =
      `the snapshot ${this.#id} was saved, but only ${this.#recorded.size} of ${witnessesNeeded} nodes have recorded ` +
      'that, so it might be missing if the manager had to be restored now; back up again when the nodes are up'
    const text = this.#refusal === '' ? message : `${message} (${this.#refusal})`
    return new TwofoldError('not-enough-nodes', text, { fields: this.#fields })
  }

  get #id(): string {
    return this.#committed.snapshotId.slice(0, 8)
  }

  get #fields(): Readonly<Record<string, string>> {
    return { snapshot: this.#committed.snapshotId }
  }
}
