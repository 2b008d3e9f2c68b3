import { toHex } from '../../src/core/ids.ts'
import { createHasher } from '../../src/format/hash.ts'

/** Everything that happens in a simulation, in order, as a running hash; the lines themselves to whoever wants them. */
export class SimTrace {
  readonly #hasher = createHasher()
  readonly #onLine: ((line: string) => void) | undefined
  #count = 0
  /** Lines that are not hashed yet: hashing many at once costs far less. */
  #waiting = ''

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine
  }

  get count(): number {
    return this.#count
  }

  add(atMs: number, what: string): void {
    const line = `${atMs.toFixed(3)} ${what}`
    this.#count += 1
    this.#waiting += `${line}\n`
    if (this.#waiting.length > 65_536) this.#hash()
    this.#onLine?.(line)
  }

  #hash(): void {
    this.#hasher.update(Buffer.from(this.#waiting))
    this.#waiting = ''
  }

  /** Ends the trace. */
  hash(): string {
    this.#hash()
    return toHex(this.#hasher.digest())
  }
}
