/** An incremental BLAKE3-256. */
export interface Hasher {
  /** Takes in `data`; the memory may be reused on return. */
  update(data: Uint8Array): void
  /** The 32 bytes of the hash. The hasher is not used again after it. */
  digest(): Uint8Array
}

/** One implementation of BLAKE3. Each of them gives the same hashes; a test holds them to it. */
export interface HashEngine {
  readonly name: 'native' | 'portable'
  hash(data: Uint8Array): Uint8Array
  create(): Hasher
  /** A hash with a key of 32 bytes. */
  createKeyed(key: Uint8Array): Hasher
}
