import { TwofoldError } from '../core/errors.ts'
import type { ShutdownPhase } from '../core/node-admin.ts'
import { shutdownNodesMs, shutdownTellMs } from '../core/request-limits.ts'

/**
 * The end of the whole cluster, in order: no backup begins any more and those that run are waited for; then the nodes
 * are told to stop, with the replies to their heartbeats; then the manager stops. It lives in memory only: a manager
 * that is started again works as usual.
 */
export class Shutdown {
  readonly #ended = Promise.withResolvers<void>()
  #phase: ShutdownPhase = 'off'
  #sinceMs = 0
  /** Names of the nodes that are to stop, by their rows. */
  readonly #asked = new Map<number, string>()
  /** Those that said that they do. */
  readonly #stopping = new Set<number>()

  get phase(): ShutdownPhase {
    return this.#phase
  }

  /** Resolves when the manager is to stop. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  begin(nowMs: number): void {
    if (this.#phase === 'off') this.#enter('draining', nowMs)
  }

  /** @throws TwofoldError `failed-precondition` when nodes are being stopped already */
  cancel(): void {
    if (this.#phase !== 'off' && this.#phase !== 'draining') {
      throw new TwofoldError('failed-precondition', 'too late: the nodes are being stopped')
    }
    this.#phase = 'off'
  }

  /** @throws TwofoldError `failed-precondition` when nothing new may begin */
  requireOpen(): void {
    if (this.#phase === 'off') return
    throw new TwofoldError('failed-precondition', 'the cluster is being shut down: no backup begins any more')
  }

  /** These are told to stop from now on. */
  askNodes(nodes: ReadonlyMap<number, string>, nowMs: number): void {
    for (const [row, name] of nodes) this.#asked.set(row, name)
    this.#enter('nodes', nowMs)
  }

  /** A node has said that it stops. */
  stopped(node: number): void {
    this.#stopping.add(node)
  }

  /** Names of the nodes that have not said so. */
  get waitingFor(): string[] {
    return [...this.#asked].flatMap(([node, name]) => (this.#stopping.has(node) ? [] : [name])).sort()
  }

  /** Goes on to the end of the manager when the nodes have said that they stop, or were silent for too long. */
  step(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs
    if (this.#phase === 'nodes' && (this.waitingFor.length === 0 || passedMs >= shutdownNodesMs)) {
      this.#enter('manager', nowMs)
    } else if (this.#phase === 'manager' && passedMs >= shutdownTellMs) this.#ended.resolve()
  }

  #enter(phase: ShutdownPhase, nowMs: number): void {
    this.#phase = phase
    this.#sinceMs = nowMs
  }
}
