import type { CheckpointInfo } from '../client/index.ts'
import type { CommonOptions, Run } from './command-setup.ts'
import { formatBytes, formatCount } from '../core/human-format.ts'
import { jsonTimeMs, jsonTimeNs } from './json-time.ts'
import { safePath, safeText } from '../core/safe-text.ts'
import { statsRecord } from './snapshot-text.ts'

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

export async function tellCheckpoints(
  checkpoints: readonly CheckpointInfo[],
  { output, cli }: Run<CommonOptions>,
): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const rows = checkpoints.map(({ manifest, createdAtMs }) => {
    const { filesNew, filesChanged, filesUnmodified, totalBytes } = manifest.stats
    return [
      output.time(createdAtMs, nowMs),
      safeText(manifest.host),
      formatCount(filesNew + filesChanged + filesUnmodified),
      formatBytes(totalBytes),
      manifest.paths.map(safePath).join(' '),
    ]
  })
  const numbers = [
    { title: 'Files', align: 'right' as const, spare: 4 },
    { title: 'Size', align: 'right' as const },
  ]
  const paths = { title: 'Paths', spare: 1, keep: 'end' as const }
  await output.table([{ title: 'Saved', spare: 2 }, { title: 'Host', spare: 3 }, ...numbers, paths], rows)
}
