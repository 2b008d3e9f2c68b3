import { invariant } from '../core/errors.ts'
import { parseClusterId, randomHexId } from '../core/ids.ts'
import type { ClusterId } from '../core/ids.ts'
import { copiesDefault, minCopiesDefault } from '../core/limits.ts'
import type { Random } from '../core/random.ts'
import { createSigner } from '../format/signing.ts'
import type { Signer } from '../format/signing.ts'
import type { Catalogue, CatalogueWriter } from './catalogue.ts'

export const defaultVault = 'default'

/** Who this manager is. */
export interface Identity {
  readonly clusterId: ClusterId
  /** One more at every start. */
  readonly epoch: number
  readonly signer: Signer
}

/** Makes the cluster's identity at the very first start, and begins a new epoch at every start. */
export function beginEpoch(catalogue: Catalogue, random: Random): Promise<Identity> {
  return catalogue.write(async (tx) => {
    if ((await tx.settings.get('cluster-id')) === undefined) await foundCluster(tx, random)
    const epoch = Number(await readText(tx, 'epoch')) + 1
    await tx.settings.set('epoch', Buffer.from(String(epoch)))
    const seed = await tx.settings.get('signing-seed')
    invariant(seed !== undefined, 'a cluster has a signing key')
    return { clusterId: parseClusterId(await readText(tx, 'cluster-id')), epoch, signer: createSigner(seed) }
  })
}

async function foundCluster(tx: CatalogueWriter, random: Random): Promise<void> {
  await tx.settings.set('cluster-id', Buffer.from(randomHexId<ClusterId>(random)))
  await tx.settings.set('signing-seed', random.bytes(32))
  await tx.settings.set('epoch', Buffer.from('0'))
  await tx.vaults.add({
    name: defaultVault,
    vaultId: random.bytes(16),
    copies: copiesDefault,
    minCopies: minCopiesDefault,
  })
}

async function readText(tx: CatalogueWriter, key: string): Promise<string> {
  const value = await tx.settings.get(key)
  invariant(value !== undefined, `the catalogue has the setting ${key}`)
  return Buffer.from(value).toString()
}
