import type { CheckpointInfo } from '../client/index.ts'
import { formatBytes, formatCount, formatTime } from './human-format.ts'
import { jsonTimeMs, jsonTimeNs } from './json-time.ts'
import { safePath, safeText } from './safe-text.ts'
import { statsRecord } from './snapshot-text.ts'
import { renderTable } from './table.ts'

/** A checkpoint in the fields of a snapshot, as far as it has them: it has no id and no copies of its own. */
export function checkpointRecord({ manifest, createdAtMs, packs }: CheckpointInfo): Record<string, unknown> {
  return {
    time: jsonTimeNs(manifest.timeNs),
    saved_at: jsonTimeMs(createdAtMs),
    paths: manifest.paths.map((path) => Buffer.from(path).toString('utf8')),
    hostname: manifest.host,
    username: manifest.user,
    tags: manifest.tags,
    program_version: manifest.program,
    summary: statsRecord(manifest.stats),
    packs,
    vault: manifest.vault,
  }
}

export function checkpointTable(checkpoints: readonly CheckpointInfo[]): string[] {
  const rows = checkpoints.map(({ manifest, createdAtMs }) => {
    const { filesNew, filesChanged, filesUnmodified, totalBytes } = manifest.stats
    return [
      formatTime(createdAtMs),
      safeText(manifest.host),
      formatCount(filesNew + filesChanged + filesUnmodified),
      formatBytes(totalBytes),
      manifest.paths.map(safePath).join(' '),
    ]
  })
  const numbers = [
    { title: 'Files', align: 'right' as const },
    { title: 'Size', align: 'right' as const },
  ]
  return renderTable([{ title: 'Saved' }, { title: 'Host' }, ...numbers, { title: 'Paths' }], rows)
}
