import type { FileVersionInfo } from '../client/index.ts'
import { formatBytes, formatTime } from './human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { safeText } from './safe-text.ts'
import { renderTable } from './table.ts'

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

export function fileVersionTable(versions: readonly FileVersionInfo[]): string[] {
  const right = 'right' as const
  return renderTable(
    [
      { title: 'Version', align: right },
      { title: 'Time' },
      { title: 'Size', align: right },
      { title: 'Copies', align: right },
      { title: 'Name' },
    ],
    versions.map((info) => [
      String(info.version),
      formatTime(info.createdAtMs),
      info.deleted ? 'deleted' : formatBytes(info.lengthBytes),
      info.deleted ? '' : String(info.copies),
      safeText(info.name),
    ]),
  )
}
