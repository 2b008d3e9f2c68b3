import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { parseClusterId } from '../core/ids.ts'
import type { ClusterId } from '../core/ids.ts'
import type { LogPosition, WitnessStatement } from '../core/model.ts'
import { WitnessClaims as WitnessMessage } from '../gen/twofold/v1/common.ts'
import { verifySignature } from './signing.ts'
import type { Signer } from './signing.ts'
import { decodeStored, toSafeNumber } from './stored-message.ts'

export interface WitnessClaims {
  readonly clusterId: ClusterId
  readonly position: LogPosition
}

export function signWitness({ clusterId, position }: WitnessClaims, signer: Signer): WitnessStatement {
  const { epoch, life, sequence, hash } = position
  const message = { clusterId, position: { epoch: BigInt(epoch), life, sequence: BigInt(sequence), hash } }
  const claims = WitnessMessage.encode(message).finish()
  return { claims, signature: signer.sign(claims) }
}

/**
 * What a statement says, once its signature and its form are checked.
 * @throws TwofoldError `permission-denied` when it is not signed by the owner of `publicKey`, or makes no sense.
 */
export function openWitness(statement: WitnessStatement, publicKey: Uint8Array): WitnessClaims {
  if (!verifySignature(publicKey, statement.claims, statement.signature)) {
    throw new TwofoldError('permission-denied', 'the statement is not signed by the manager of this node')
  }
  try {
    const { clusterId, position } = decodeStored(WitnessMessage, statement.claims, 'a statement')
    if (position?.hash.length !== 32) throw new TwofoldError('integrity', 'a statement names no position')
    const { epoch, life, sequence, hash } = position
    return {
      clusterId: parseClusterId(clusterId),
      position: {
        epoch: toSafeNumber(epoch, "the statement's epoch"),
        life,
        sequence: toSafeNumber(sequence, "the statement's sequence"),
        hash: new Uint8Array(hash),
      },
    }
  } catch (error) {
    if (!isTwofoldError(error)) throw error
    throw new TwofoldError('permission-denied', error.message, { cause: error })
  }
}
