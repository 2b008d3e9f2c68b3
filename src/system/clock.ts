import type { Clock } from '../core/clock.ts'

/** The longest delay that a timer of Node takes; anything above fires at once. */
const timerMsMax = 2 ** 31 - 1

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      resolve()
    }, ms)
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted()
    let leftMs = Math.max(0, ms)
    do {
      await wait(Math.min(leftMs, timerMsMax), signal)
      leftMs -= timerMsMax
    } while (leftMs > 0)
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}
