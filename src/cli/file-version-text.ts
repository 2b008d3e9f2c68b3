import type { FileVersionInfo } from '../client/index.ts'
import type { CommonOptions, Run } from './command-setup.ts'
import { formatBytes } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { safeText } from '../core/safe-text.ts'

export function fileVersionRecord(info: FileVersionInfo): Record<string, unknown> {
  return {
    name: info.name,
    version: info.version,
    deleted: info.deleted,
    size: info.lengthBytes,
    time: jsonTimeMs(info.createdAtMs),
    snapshot_id: info.snapshotId,
    copies: info.copies,
    data_added: info.addedBytes,
  }
}

export async function tellFileVersions(
  versions: readonly FileVersionInfo[],
  { output, cli }: Run<CommonOptions>,
): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const right = 'right' as const
  await output.table(
    [
      { title: 'Version', align: right },
      { title: 'Time', spare: 2 },
      { title: 'Size', align: right },
      { title: 'Copies', align: right, spare: 3 },
      { title: 'Name', spare: 1, keep: 'end' },
    ],
    versions.map((info) => [
      String(info.version),
      output.time(info.createdAtMs, nowMs),
      info.deleted ? 'deleted' : formatBytes(info.lengthBytes),
      info.deleted ? '' : String(info.copies),
      safeText(info.name),
    ]),
  )
}
