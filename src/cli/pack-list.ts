import type { Client } from '../client/index.ts'
import type { SnapshotId } from '../core/ids.ts'
import type { PackCopy } from '../core/model.ts'
import type { CommonOptions, Run } from './command-setup.ts'
import { formatBytes } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { safeText } from '../core/safe-text.ts'

/** Shows a snapshot's packs as a table: how many copies each has, and where. */
export async function tellPacks(
  client: Client,
  { output, cli: { signal } }: Run<CommonOptions>,
  id: SnapshotId,
): Promise<void> {
  const rows: string[][] = []
  for await (const pack of client.snapshotPacks(id, { signal })) {
    const readable = pack.copies.filter(isReachable).length
    const nodes = pack.copies.map(copyText).join(', ')
    rows.push([pack.packId.slice(0, 12), formatBytes(pack.lengthBytes), String(readable), nodes])
  }
  const right = 'right' as const
  await output.table(
    [
      { title: 'Pack' },
      { title: 'Size', align: right },
      { title: 'Copies', align: right },
      { title: 'Nodes', spare: 1 },
    ],
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
