import { invariant } from '../core/errors.ts'
import { parseClusterId, randomHexId, toHex } from '../core/ids.ts'
import type { ClusterId } from '../core/ids.ts'
import { appendToLog } from './commit-log.ts'
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
  /** Which start this is: 32 hexadecimal digits, never given twice, whatever became of the catalogue. */
  readonly life: string
  /** Whether the log that nodes get begins with this start. */
  readonly fresh: boolean
  readonly signer: Signer
}

/** Makes the cluster's identity at the very first start, and begins a new epoch at every start. */
export function beginEpoch(catalogue: Catalogue, random: Random): Promise<Identity> {
  return catalogue.write(async (tx) => {
    if ((await tx.settings.get('cluster-id')) === undefined) await foundCluster(tx, random)
    const fresh = await beginLog(tx)
    const epoch = Number(await readText(tx, 'epoch')) + 1
    await tx.settings.set('epoch', Buffer.from(String(epoch)))
    const seed = (await tx.settings.get('signing-seed')) ?? random.bytes(32)
    // The copies of a catalogue that nodes keep have no key; nodes learn the new one when they register.
    await tx.settings.set('signing-seed', seed)
    const clusterId = parseClusterId(await readText(tx, 'cluster-id'))
    return { clusterId, epoch, life: randomHexId<string>(random), fresh, signer: createSigner(seed) }
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

/**
 * What the log needs to be enough for a recovery. A catalogue of an earlier version of the program has commits in it
 * already, and these come after them. @returns whether it was missing.
 */
async function beginLog(tx: CatalogueWriter): Promise<boolean> {
  if ((await tx.settings.get('log-begun')) !== undefined) return false
  await tx.settings.set('log-begun', Buffer.from('1'))
  await appendToLog(tx, 'cluster', { clusterId: await readText(tx, 'cluster-id') })
  for (const { name, vaultId, copies, minCopies } of await tx.vaults.all()) {
    await appendToLog(tx, 'vault', { name, vaultId: toHex(vaultId), copies, minCopies })
  }
  for (const { ref, admin } of await tx.nodes.all()) {
    if (admin !== 'removed') await appendToLog(tx, 'node', { nodeId: ref.nodeId, name: ref.name })
  }
  return true
}

async function readText(tx: CatalogueWriter, key: string): Promise<string> {
  const value = await tx.settings.get(key)
  invariant(value !== undefined, `the catalogue has the setting ${key}`)
  return Buffer.from(value).toString()
}
