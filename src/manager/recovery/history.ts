import { decodeManifest } from '../../format/manifest.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { NewOperation } from '../catalogue-rows.ts'
import type { RebuildDeps } from './summary.ts'

const page = 500

/** The history of the older catalogue, and what can be told of the snapshots that it does not know. */
export async function writeHistory({ catalogue, older }: RebuildDeps): Promise<void> {
  const told = new Set<string>()
  if (older !== undefined) {
    const operations: NewOperation[] = []
    for (let before = Number.MAX_SAFE_INTEGER; ;) {
      const end = before
      const rows = await older.read((tx) => tx.operations.page({ kind: '', before: end, limit: page }))
      const last = rows.at(-1)
      if (last === undefined) break
      before = last.number
      for (const { number: _, ...operation } of rows) operations.push(operation)
    }
    await catalogue.write(async (tx) => {
      for (const operation of operations.reverse()) {
        if (operation.snapshotId !== '') told.add(operation.snapshotId)
        await tx.operations.add(operation)
      }
    })
  }
  for (let after = ''; ;) {
    const from = after
    const snapshots = await catalogue.read((tx) => tx.recovery.snapshotsAfter(from, page))
    const last = snapshots.at(-1)
    if (last === undefined) return
    after = last.snapshotId
    await catalogue.write(async (tx) => {
      for (const { snapshotId } of snapshots) if (!told.has(snapshotId)) await tellOf(tx, snapshotId)
    })
  }
}

async function tellOf(tx: CatalogueWriter, snapshotId: string): Promise<void> {
  const row = await tx.snapshots.find(snapshotId as Parameters<typeof tx.snapshots.find>[0])
  if (row === undefined) return
  const { host, user, paths, fileName } = decodeManifest(row.manifest)
  const subject = fileName === '' ? paths.map((path) => Buffer.from(path).toString()).join(' ') : fileName
  await tx.operations.add({
    kind: fileName === '' ? 'backup' : 'put',
    timeMs: row.committedAtMs,
    actor: `${user}@${host}`,
    subject: subject.slice(0, 4096),
    result: 'ok',
    detail: 'recovered from the nodes',
    snapshotId,
    durationMs: 0,
  })
}
