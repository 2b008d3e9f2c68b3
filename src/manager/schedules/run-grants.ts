/** The runs that may begin when their agents ask next, as it was planned last. */
export class RunGrants {
  #granted: ReadonlySet<number> = new Set()

  replace(numbers: Iterable<number>): void {
    this.#granted = new Set(numbers)
  }

  has(number: number): boolean {
    return this.#granted.has(number)
  }

  /** It begins: nobody else may take its place until the next plan. */
  take(number: number): void {
    const left = new Set(this.#granted)
    left.delete(number)
    this.#granted = left
  }
}
