import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { invariant } from '../core/errors.ts'
import { publicKeysKept } from '../core/limits.ts'

export const publicKeyBytes = 32
export const signatureBytes = 64

/** What an Ed25519 key of 32 bytes looks like in the containers that node:crypto reads. */
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicKeyPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Somebody who signs with Ed25519. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The signature: 64 bytes, the same for the same data. */
  sign(data: Uint8Array): Uint8Array
}

/** @param seed the private key: 32 secret, random bytes. */
export function createSigner(seed: Uint8Array): Signer {
  invariant(seed.length === 32, 'a signing seed must be 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([privateKeyPrefix, seed]), format: 'der', type: 'pkcs8' })
  const container = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(container.subarray(publicKeyPrefix.length)),
    sign: (data) => sign(null, data, key),
  }
}

/** Keys that were used, the one used last at the end: making one costs as much as checking a signature with it. */
const publicKeys = new Map<string, KeyObject>()

function publicKeyOf(bytes: Uint8Array): KeyObject {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const known = publicKeys.get(name)
  publicKeys.delete(name)
  const key = known ?? createPublicKey({ key: Buffer.concat([publicKeyPrefix, bytes]), format: 'der', type: 'spki' })
  publicKeys.set(name, key)
  const [oldest] = publicKeys.size > publicKeysKept ? publicKeys.keys() : []
  if (oldest !== undefined) publicKeys.delete(oldest)
  return key
}

/** Whether `signature` is the one of `data` by the owner of `publicKey`; false for malformed keys and signatures. */
export function verifySignature(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
  return verify(null, data, publicKeyOf(publicKey), signature)
}
