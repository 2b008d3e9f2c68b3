import type { ClusterId, Incarnation, NodeId, PackId, SessionId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { NodeRef, Ticket, TicketClaims } from '../../../src/core/model.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { signTicket } from '../../../src/format/tickets.ts'
import { FilePackStore } from '../../../src/node/pack-store-files.ts'
import type { Membership } from '../../../src/node/ticket-check.ts'
import { SimDisk } from '../../sim/sim-disk.ts'
import { FaultyDisk } from '../../support/faulty-disk.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { vaultId } from '../format/sample-pack.ts'

export const hex = <T extends string>(digit: string): T => digit.repeat(32) as T
export const packId = hex<PackId>('a')
export const incarnation = hex<Incarnation>('e')

export function nodeRef(number: number): NodeRef {
  const nodeId = hex<NodeId>(String(number))
  return { nodeId, incarnation, name: `n${number}`, address: `127.0.0.1:${7400 + number}`, failureDomain: '' }
}

export const managerSigner = createSigner(new Uint8Array(32).fill(1))

/** What node 1 knows of itself. */
export const membership: Membership = {
  nodeId: nodeRef(1).nodeId,
  incarnation,
  clusterId: hex<ClusterId>('c'),
  managerPublicKey: managerSigner.publicKey,
}

/** Node 1 is the primary, node 2 the replica. */
export function claimsOf(changes: Partial<TicketClaims> = {}): TicketClaims {
  return {
    clusterId: membership.clusterId,
    vault: 'default',
    vaultId,
    sessionId: hex<SessionId>('5'),
    packId,
    generation: 1,
    lengthBytesMax: 1_000_000,
    copies: 2,
    minCopies: 2,
    primary: nodeRef(1),
    replicas: [nodeRef(2)],
    expiresAtMs: 1_000_000,
    epoch: 1,
    ...changes,
  }
}

export const ticketOf = (changes: Partial<TicketClaims> = {}): Ticket => signTicket(claimsOf(changes), managerSigner)

export interface MemoryDisk {
  /** What the code gets. */
  readonly disk: FaultyDisk
  /** What is behind it: lists files, loses power. */
  readonly below: SimDisk
}

export function memoryDisk(seed = 1): MemoryDisk {
  const random = new SeededRandom(seed)
  const below = new SimDisk({ random, capacityBytes: 1e9, before: () => Promise.resolve() })
  return { disk: new FaultyDisk(below), below }
}

export function openStore(disk: FaultyDisk, capacityBytes = 1e8): Promise<FilePackStore> {
  return FilePackStore.open({ disk, capacityBytes, logger: silentLogger })
}

/** Writes a file and syncs it. */
export async function writeFile(disk: FaultyDisk, path: string, content: string): Promise<void> {
  const file = await disk.create(path)
  await file.write(Buffer.from(content), 0)
  await file.sync()
  await file.close()
}
