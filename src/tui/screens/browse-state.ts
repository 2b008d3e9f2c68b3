import type { SnapshotInfo } from '../../client/index.ts'
import type { FolderEntry, ListState } from '../folder-list.ts'
import type { Preview, ShownChange } from '../work.ts'
import type { RestoreState } from './restore.ts'

export interface BrowseState {
  readonly snapshots: ListState
  /** The one that another one is compared with. */
  readonly marked: string | undefined
  readonly opened: OpenedSnapshot | undefined
  readonly page: Page | undefined
  readonly restore: RestoreState | undefined
}

export interface OpenedSnapshot {
  readonly snapshot: SnapshotInfo
  readonly path: Uint8Array
  /** Undefined while they are read. */
  readonly entries: readonly FolderEntry[] | undefined
  readonly count: number
  readonly problem: string
  readonly list: ListState
  /** Of this folder. */
  readonly chosen: ReadonlyMap<string, FolderEntry>
}

/** Something to read: it covers the list. */
export type Page =
  | {
      readonly kind: 'preview'
      readonly path: Uint8Array
      readonly preview: Preview | undefined
      readonly scroll: number
    }
  | {
      readonly kind: 'diff'
      readonly before: string
      readonly after: string
      readonly changes: readonly ShownChange[] | undefined
      readonly more: boolean
      readonly scroll: number
    }
