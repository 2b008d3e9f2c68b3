import type { ChunkId, Incarnation, NodeId, SessionId, SnapshotId } from '../../src/core/ids.ts'
import type { NewSnapshot, NodeRow, SessionRow } from '../../src/manager/catalogue-rows.ts'
import { encodePackSet } from '../../src/manager/pack-set.ts'

/** 32 hexadecimal digits made of a number. */
export const hex = (n: number): string => n.toString(16).padStart(32, '0')

/** 32 bytes made of a number. */
export function id32(n: number): ChunkId {
  const bytes = Buffer.alloc(32, n & 255)
  bytes.writeUInt32BE(n, 0)
  return bytes as unknown as ChunkId
}

export function aNode(n: number, name: string): Omit<NodeRow, 'id'> {
  return {
    ref: {
      nodeId: hex(n) as NodeId,
      incarnation: hex(n + 100) as Incarnation,
      name,
      address: `host:${7000 + n}`,
      failureDomain: '',
    },
    bootId: hex(n + 200),
    bootNumber: 0,
    registrationNumber: 1,
    capacityBytes: 1e12,
    usedBytes: 0,
    publicKey: id32(n),
    putSequence: 0,
    admin: 'active',
    programVersion: 'test',
  }
}

export function aSession(vault: number, n: number): Omit<SessionRow, 'id' | 'state' | 'snapshotId'> {
  return {
    kind: 'backup',
    sessionId: hex(n) as SessionId,
    token: hex(n + 50),
    vault,
    clientId: 'client',
    requestId: `request-${n}`,
    host: 'host',
    user: 'user',
    paths: [Buffer.from('/a')],
    fileName: '',
    noParent: false,
    parent: '',
    begunAtMs: 1,
  }
}

export function aSnapshot(vault: number, n: number): NewSnapshot {
  return {
    snapshotId: Buffer.from(id32(n)).toString('hex') as SnapshotId,
    vault,
    tree: id32(n + 1),
    manifest: Buffer.from('manifest'),
    committedAtMs: 1,
    fileName: '',
    fileVersion: 0,
    host: 'host',
    pathsKey: Buffer.from('paths'),
    packs: encodePackSet([n]),
  }
}
