/**
 * Applies `work` to the items with at most `limit` in progress or waiting to be consumed, and yields the results in
 * the order in which they are ready. The first failure ends it; what is still in progress is left to end by itself.
 */
export async function* mapUnordered<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const source = items[Symbol.asyncIterator]()
  const running = new Map<number, Promise<{ key: number; result: R }>>()
  let next = 0
  let exhausted = false
  try {
    for (;;) {
      while (!exhausted && running.size < limit) {
        const item = await source.next()
        if (item.done === true) {
          exhausted = true
          break
        }
        const key = next++
        const started = work(item.value).then((result) => ({ key, result }))
        // A failure is seen by the race below; when another one ended the race, nobody asks for this one any more.
        started.catch(() => undefined)
        running.set(key, started)
      }
      if (running.size === 0) return
      const { key, result } = await Promise.race(running.values())
      running.delete(key)
      yield result
    }
  } finally {
    await source.return?.(undefined)
  }
}
