import { copiesAtOnce, checksAtOnce, ordersHeldMax, removalsAtOnce } from '../core/limits.ts'
import type { Order, OrderResult } from '../core/messages.ts'
import { Semaphore } from '../core/semaphore.ts'
import { carryOut } from './orders.ts'
import type { OrdersDeps } from './orders.ts'

/**
 * The orders that a node is carrying out, and their results. Nothing here is waited for by a heartbeat: an order runs
 * in the background, a few of each kind at once, and its result stays until a heartbeat that carried it was answered.
 */
export class OrderDesk {
  readonly #deps: OrdersDeps
  readonly #running = new Set<string>()
  readonly #results = new Map<string, OrderResult>()
  readonly #turns: Readonly<Record<Order['action']['kind'], Semaphore>>
  readonly #stop = new AbortController()
  #news: (() => void) | undefined
  /** The order to stop, once it was carried out. */
  #stopOrder: string | undefined

  constructor(deps: OrdersDeps) {
    this.#deps = deps
    const removals = new Semaphore(removalsAtOnce)
    this.#turns = {
      'copy-pack': new Semaphore(copiesAtOnce),
      'verify-pack': new Semaphore(checksAtOnce),
      'send-inventory': new Semaphore(1),
      'send-records': new Semaphore(1),
      'keep-catalogue': new Semaphore(1),
      stop: new Semaphore(1),
      'drop-pack': removals,
      'discard-damaged': removals,
      unknown: removals,
    }
  }

  /** Begins what is new; what is running, or was not told yet, is not begun again. */
  take(orders: readonly Order[]): void {
    for (const order of orders) {
      const known = this.#running.has(order.orderId) || this.#results.has(order.orderId)
      if (known || this.#stop.signal.aborted || this.#running.size + this.#results.size >= ordersHeldMax) continue
      this.#running.add(order.orderId)
      void this.#run(order)
    }
  }

  async #run(order: Order): Promise<void> {
    const { signal } = this.#stop
    try {
      const result = await this.#turns[order.action.kind].run(() => carryOut(order, this.#deps, signal), signal)
      if (!signal.aborted) this.#results.set(order.orderId, result)
      if (order.action.kind === 'stop' && result.done) this.#stopOrder = order.orderId
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.#running.delete(order.orderId)
    }
    this.#news?.()
  }

  /** What the next heartbeat is to carry. */
  results(): readonly OrderResult[] {
    return [...this.#results.values()]
  }

  /** Whether these results say that the node stops, as it was ordered to. */
  tellsStop(results: readonly OrderResult[]): boolean {
    return results.some(({ orderId }) => orderId === this.#stopOrder)
  }

  /** What a heartbeat carried that was answered. */
  answered(results: readonly OrderResult[]): void {
    for (const { orderId } of results) this.#results.delete(orderId)
  }

  /** Whether something was done that the manager waits for. A failure has time: the order would only come again. */
  get hasNews(): boolean {
    return this.#results.values().some(({ done }) => done)
  }

  /** Resolves when there is news, or the signal is aborted. */
  async news(signal: AbortSignal): Promise<void> {
    while (!this.hasNews && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#news = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** Breaks off what is running; nothing is taken from now on. */
  stop(reason: Error): void {
    this.#stop.abort(reason)
  }
}
