import { toHex } from '../../src/core/ids.ts'
import { createHasher } from '../../src/format/hash.ts'

/** Everything that happens in a simulation, in order, as a running hash; the lines themselves to whoever wants them. */
export class SimTrace {
  readonly #hasher = createHasher()
  readonly #onLine: ((line: string) => void) | undefined
  #count = 0

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine
  }

  get count(): number {
    return this.#count
  }

  add(atMs: number, what: string): void {
    const line = `${atMs.toFixed(3)} ${what}`
    this.#count += 1
    this.#hasher.update(Buffer.from(`${line}\n`))
    this.#onLine?.(line)
  }

  /** Ends the trace. */
  hash(): string {
    return toHex(this.#hasher.digest())
  }
}
