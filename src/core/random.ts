/** Chance, as a port: a simulation gives it a seed. */
export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array
  /** A number in [0, 1). */
  fraction(): number
}
