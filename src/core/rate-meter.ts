const windowSeconds = 5

/** The rate over the last seconds. */
export class RateMeter {
  readonly #samples: { readonly seconds: number; readonly bytes: number }[] = []

  /** Bytes per second, given how many bytes were done so many seconds after the start. */
  add(seconds: number, bytes: number): number {
    this.#samples.push({ seconds, bytes })
    while (this.#samples.length > 2 && seconds - (this.#samples[1]?.seconds ?? seconds) >= windowSeconds) {
      this.#samples.shift()
    }
    const first = this.#samples[0]
    if (first === undefined) return 0
    if (first.seconds === seconds) return seconds > 0 ? bytes / seconds : 0
    return (bytes - first.bytes) / (seconds - first.seconds)
  }
}
