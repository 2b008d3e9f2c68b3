import type { Client } from '../client/index.ts'
import type { SnapshotId } from '../core/ids.ts'
import type { PackCopy } from '../core/model.ts'
import { formatBytes } from './human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { safeText } from './safe-text.ts'
import { renderTable } from './table.ts'

/** A table of a snapshot's packs: how many copies each has, and where. */
export async function packLines(client: Client, id: SnapshotId, signal: AbortSignal): Promise<string[]> {
  const rows: string[][] = []
  for await (const pack of client.snapshotPacks(id, { signal })) {
    const readable = pack.copies.filter(isReachable).length
    const nodes = pack.copies.map(copyText).join(', ')
    rows.push([pack.packId.slice(0, 12), formatBytes(pack.lengthBytes), String(readable), nodes])
  }
  const right = 'right' as const
  return renderTable(
    [{ title: 'Pack' }, { title: 'Size', align: right }, { title: 'Copies', align: right }, { title: 'Nodes' }],
    rows,
  )
}

export async function packRecords(client: Client, id: SnapshotId, signal: AbortSignal): Promise<object[]> {
  const records: object[] = []
  for await (const pack of client.snapshotPacks(id, { signal })) {
    const copies = pack.copies.map(({ node, state, provenAtMs }) => ({
      node: node.name,
      address: node.address,
      failure_domain: node.failureDomain,
      state,
      proven_at: provenAtMs === 0 ? null : jsonTimeMs(provenAtMs),
    }))
    records.push({ pack_id: pack.packId, length: pack.lengthBytes, copies })
  }
  return records
}

function isReachable({ state }: PackCopy): boolean {
  return state !== 'dead' && state !== 'removed'
}

function copyText({ node, state }: PackCopy): string {
  return state === 'up' ? safeText(node.name) : `${safeText(node.name)} (${state})`
}
