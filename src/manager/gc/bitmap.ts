/** A set of row numbers, one bit for each up to the largest: ten million packs take 1.25 MB. */
export class Bitmap {
  #bytes = new Uint8Array(1024)

  has(number: number): boolean {
    return ((this.#bytes[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** @returns whether it is new. */
  add(number: number): boolean {
    if (this.has(number)) return false
    const at = number >> 3
    if (at >= this.#bytes.length) {
      const longer = new Uint8Array(2 * at + 1024)
      longer.set(this.#bytes)
      this.#bytes = longer
    }
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (number & 7))
    return true
  }
}
