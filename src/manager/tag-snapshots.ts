import { TwofoldError } from '../core/errors.ts'
import type { TagRequest } from '../core/admin-messages.ts'
import { tagCharactersMax, tagsPerSnapshotMax } from '../core/request-limits.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { SnapshotRow } from './catalogue-rows.ts'
import { appendToLog } from './commit-log.ts'
import type { ManagerContext } from './context.ts'
import { findAll, recordDecision, requireBackups } from './gc/trash.ts'
import { once } from './once.ts'

/** The tags of a snapshot: what people gave it since, or what it was committed with. */
export function tagsOf(row: Pick<SnapshotRow, 'tags' | 'manifest'>): readonly string[] {
  return row.tags ?? decodeManifest(row.manifest).tags
}

/** What is left of `tags` after removing, and what is there after adding, in order and without repetition. */
export function changedTags(tags: readonly string[], change: Pick<TagRequest, 'add' | 'remove' | 'clear'>): string[] {
  const kept = change.clear ? [] : tags.filter((tag) => !change.remove.includes(tag))
  return [...new Set([...kept, ...change.add])]
}

/** Gives snapshots other tags. What they were committed with stays in their manifests. */
export async function tagSnapshots(context: ManagerContext, request: TagRequest): Promise<void> {
  requireTags([...request.add, ...request.remove])
  await once(context, { kind: 'tag', request, changes: true }, async (tx) => {
    const { vault, rows } = await findAll(tx, request)
    requireBackups(rows)
    const changed: SnapshotRow[] = []
    /** One entry of the log for each set of tags that comes of it. */
    const byTags = new Map<string, string[]>()
    for (const row of rows) {
      const before = tagsOf(row)
      const after = changedTags(before, request)
      if (after.length > tagsPerSnapshotMax) throw tooMany(row)
      const key = JSON.stringify(after)
      if (key === JSON.stringify(before)) continue
      await tx.snapshots.setTags(row.commitSequence, after)
      byTags.set(key, [...(byTags.get(key) ?? []), row.snapshotId])
      changed.push(row)
    }
    await recordDecision(context, tx, { kind: 'tag', request, rows: changed })
    for (const [key, snapshotIds] of byTags) {
      await appendToLog(tx, 'tag', { vault: vault.name, snapshotIds, tags: JSON.parse(key) as string[] })
    }
  })
}

function requireTags(tags: readonly string[]): void {
  if (tags.length > 2 * tagsPerSnapshotMax) {
    throw new TwofoldError('invalid-argument', `at most ${2 * tagsPerSnapshotMax} tags a call, not ${tags.length}`)
  }
  const bad = tags.find((tag) => tag === '' || tag.length > tagCharactersMax || tag.includes(','))
  if (bad === undefined) return
  const shown = bad.slice(0, 40)
  throw new TwofoldError('invalid-argument', `"${shown}" is no tag: 1 to ${tagCharactersMax} characters, no comma`)
}

function tooMany({ snapshotId }: SnapshotRow): TwofoldError {
  const short = snapshotId.slice(0, 8)
  return new TwofoldError('invalid-argument', `snapshot ${short} would have more than ${tagsPerSnapshotMax} tags`)
}
