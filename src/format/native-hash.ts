import { createRequire } from 'node:module'
import type * as BlakeModule from '@napi-rs/blake-hash'
import { asBuffer } from '../core/ids.ts'
import type { HashEngine, Hasher } from './hash-engine.ts'

class NativeHasher implements Hasher {
  readonly #hasher: BlakeModule.Blake3Hasher

  constructor(hasher: BlakeModule.Blake3Hasher) {
    this.#hasher = hasher
  }

  update(data: Uint8Array): void {
    this.#hasher.update(asBuffer(data))
  }

  digest(): Uint8Array {
    return this.#hasher.digestBuffer()
  }
}

/** BLAKE3 in native code, about 5 GB/s. @throws when there is no binary for this platform. */
export function loadNativeHash(): HashEngine {
  const blake = createRequire(import.meta.url)('@napi-rs/blake-hash') as typeof BlakeModule
  return {
    name: 'native',
    hash: (data) => blake.blake3(asBuffer(data)),
    create: () => new NativeHasher(new blake.Blake3Hasher()),
    createKeyed: (key) => new NativeHasher(blake.Blake3Hasher.newKeyed(asBuffer(key))),
  }
}
