import type { HashEngine, Hasher } from './hash-engine.ts'
import { loadNativeHash } from './native-hash.ts'
import { portableHash } from './portable-hash.ts'

export type { Hasher } from './hash-engine.ts'

function loadHash(): HashEngine {
  try {
    return loadNativeHash()
  } catch {
    // There is no native binary for this platform. The hashes are the same, only slower.
    return portableHash
  }
}

const engine = loadHash()
const treeKey = engine.hash(new TextEncoder().encode('twofold v1 tree record'))

/** The BLAKE3-256 of `data`: 32 bytes. */
export function blake3(data: Uint8Array): Uint8Array {
  return engine.hash(data)
}

export function createHasher(): Hasher {
  return engine.create()
}

/**
 * BLAKE3-256 keyed with the BLAKE3 of `twofold v1 tree record`: names tree records. No file's content can have the same
 * name as a tree, whatever somebody writes into the file.
 */
export function createTreeHasher(): Hasher {
  return engine.createKeyed(treeKey)
}
