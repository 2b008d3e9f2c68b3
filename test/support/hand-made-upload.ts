/** What a client does to upload a pack, by hand: for tests of nodes. */
import { parseChunkId, randomHexId } from '../../src/core/ids.ts'
import type { Allocation, Session } from '../../src/core/messages.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { blake3 } from '../../src/format/hash.ts'
import { PackWriter } from '../../src/format/pack-writer.ts'
import { sealRecord } from '../../src/format/record.ts'
import type { NodeCluster } from './node-cluster.ts'

export function beginSession({ manager, random }: NodeCluster, vault = ''): Promise<Session> {
  return manager.beginBackup({
    clientId: randomHexId<string>(random),
    requestId: randomHexId<string>(random),
    vault,
    host: 'h',
    user: 'u',
    paths: [Buffer.from('/p')],
    fileName: '',
    parent: '',
    noParent: false,
  })
}

export function allocate({ manager, random }: NodeCluster, session: Session, lengthBytes: number): Promise<Allocation> {
  const requestId = randomHexId<string>(random)
  return manager.allocatePack({ session, requestId, lengthBytes, excludeNodeIds: [] })
}

/** A pack of incompressible data records, `records` of 100,000 bytes each. */
export async function makePack({ random }: NodeCluster, session: Session, records = 20): Promise<Uint8Array> {
  const { vaultId } = session
  const bytes = 100_000
  const writer = new PackWriter(new Uint8Array(records * (bytes + 4096) + 65_536), vaultId)
  for (let record = 0; record < records; record++) {
    const plain = random.bytes(bytes)
    const chunkId = parseChunkId(blake3(plain))
    writer.append(await sealRecord({ vaultId, kind: 'data', chunkId, plain }, inlineCodec))
  }
  return writer.finish()
}

/** `bytes` in slices of `length`. `before` is called ahead of each with its offset. */
export async function* slicesOf(
  bytes: Uint8Array,
  length = 65_536,
  before: (offset: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += length) {
    before(offset)
    yield await Promise.resolve(bytes.subarray(offset, offset + length))
  }
}
