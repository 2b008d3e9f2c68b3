import { toHex } from '../../src/core/ids.ts'
import { createHasher } from '../../src/format/hash.ts'

/** Everything that happens in a simulation, in order, as a running hash; the lines themselves on request. */
export class SimTrace {
  readonly lines: string[] = []
  readonly #hasher = createHasher()
  readonly #keep: boolean
  #count = 0

  constructor(options: { keep: boolean }) {
    this.#keep = options.keep
  }

  get count(): number {
    return this.#count
  }

  add(atMs: number, what: string): void {
    const line = `${atMs.toFixed(3)} ${what}`
    this.#count += 1
    this.#hasher.update(Buffer.from(`${line}\n`))
    if (this.#keep) this.lines.push(line)
  }

  /** Ends the trace. */
  hash(): string {
    return toHex(this.#hasher.digest())
  }
}
