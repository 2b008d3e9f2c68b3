import type { Page, PageRequest } from '../core/messages.ts'
import type { ClusterStatus, Operation } from '../core/model.ts'
import type { ManagerContext } from './context.ts'
import { snapshotSafety } from './snapshot-safety.ts'
import { makeToken, pageLimit, pageOf, readNumberToken } from './paging.ts'

/** What has too few copies may be that of a moment before the rest: counting is several reads. */
export async function getStatus(context: ManagerContext, programVersion: string): Promise<ClusterStatus> {
  const { members, identity } = context
  const counts = await context.copyCounts.of(members.counted())
  const safety = await snapshotSafety(context)
  const totals = await context.catalogue.read(async (tx) => {
    const vaults = await tx.vaults.all()
    const wanted = new Map(vaults.map((vault) => [vault.id, vault.copies]))
    const sum = (of: readonly { packs: number }[]): number => of.reduce((total, each) => total + each.packs, 0)
    return {
      packs: sum(vaults),
      packsDegraded: sum(counts.filter((count) => count.copies < (wanted.get(count.vault) ?? 0))),
      packsUnavailable: sum(counts.filter((count) => count.copies === 0)),
      chunks: vaults.reduce((total, vault) => total + vault.chunks, 0),
      storedBytes: vaults.reduce((total, vault) => total + vault.storedBytes, 0),
      snapshots: await tx.snapshots.summary(),
      packsUnknown: sum(await tx.unknownPacks.counts()),
    }
  })
  const { snapshots, ...rest } = totals
  return {
    ...rest,
    clusterId: identity.clusterId,
    epoch: identity.epoch,
    safeMode: members.safeMode(),
    nodes: members.infos(),
    snapshots: snapshots.count,
    safety,
    sessionsOpen: context.leases.size,
    lastBackupMs: snapshots.newestAtMs,
    programVersion,
    lineage: context.lineage.state,
    lineageProblem: context.lineage.problem,
    copiesDamaged: context.damaged.size,
    managerTimeMs: context.clock.nowMs(),
  }
}

export async function listHistory(context: ManagerContext, kind: string, page: PageRequest): Promise<Page<Operation>> {
  const limit = pageLimit(page.pageSize)
  const before = readNumberToken('history', page.pageToken) ?? Number.MAX_SAFE_INTEGER
  const rows = await context.catalogue.read((tx) => tx.operations.page({ kind, before, limit: limit + 1 }))
  return pageOf(rows, {
    limit,
    bytesOf: (row) => 200 + 3 * (row.actor.length + row.subject.length + row.detail.length),
    tokenAfter: (row) => makeToken('history', String(row.number)),
  })
}
