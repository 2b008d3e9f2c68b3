/** What a screen may have done, and what comes of it. Only `perform-work.ts` does any of it. */
import type {
  BackupSummary,
  Change,
  FileVersionInfo,
  Finding,
  OverwriteMode,
  ProgressEvent,
  RestoreSummary,
  SnapshotInfo,
} from '../client/index.ts'
import type { ClusterEvent } from '../core/cluster-events.ts'
import type { ClusterStatus, Operation } from '../core/model.ts'
import type { NodeOutlook, Task } from '../core/node-admin.ts'
import type { AgentInfo, Schedule, ScheduleRun, ScheduleSpec, ScheduleSummary } from '../core/schedules.ts'
import type { FolderEntry } from './folder-list.ts'

export type Work =
  /** Goes on as long as the client is open. */
  | { readonly kind: 'follow-cluster' }
  | NodeWork
  | { readonly kind: 'list-folder'; readonly path: Uint8Array }
  /** Looks whether there is something of that path. */
  | { readonly kind: 'find-path'; readonly path: Uint8Array }
  | { readonly kind: 'doctor' }
  /** What is in a folder of a snapshot. */
  | { readonly kind: 'list-entries'; readonly snapshot: string; readonly path: Uint8Array }
  | { readonly kind: 'preview'; readonly snapshot: string; readonly path: Uint8Array }
  | { readonly kind: 'diff'; readonly before: string; readonly after: string }
  /** Says what a restore would do, and to what it would do it. */
  | { readonly kind: 'check-restore'; readonly plan: RestorePlan }
  | { readonly kind: 'restore'; readonly plan: RestorePlan; readonly overwrite: OverwriteMode }
  | { readonly kind: 'list-history' }
  | { readonly kind: 'list-files' }
  | { readonly kind: 'list-versions'; readonly name: string }
  | { readonly kind: 'change-file'; readonly name: string; readonly act: FileAct }
  /** With the runs of one of them; `quiet` when nobody asked, but to show what is new. */
  | { readonly kind: 'list-schedules'; readonly runsOf: string | undefined; readonly quiet: boolean }
  | { readonly kind: 'change-schedule'; readonly act: ScheduleAct }
  | { readonly kind: 'backup'; readonly paths: readonly Uint8Array[] }

/** What is done with a file that is stored by name. Paths are absolute, on this machine. */
export type FileAct =
  | { readonly do: 'put'; readonly path: Uint8Array }
  | { readonly do: 'bring-back'; readonly version: number }
  | { readonly do: 'delete' }
  | { readonly do: 'save'; readonly version: number; readonly path: Uint8Array }

/** What is done with a schedule, which is named by its id. */
export type ScheduleAct =
  | { readonly do: 'add'; readonly spec: ScheduleSpec }
  | { readonly do: 'edit'; readonly schedule: string; readonly spec: ScheduleSpec }
  | { readonly do: 'run' | 'pause' | 'resume' | 'remove'; readonly schedule: string }

export interface RestorePlan {
  /** `SNAPSHOT[:folder]` */
  readonly reference: string
  /** Patterns of what is chosen; undefined for everything. */
  readonly includes: readonly string[] | undefined
  /** The folder that it is restored to: absolute. */
  readonly target: Uint8Array
}

export type Preview =
  { readonly kind: 'text'; readonly lines: readonly string[]; readonly cut: boolean } | { readonly kind: 'binary' }

export interface ShownChange {
  readonly change: Change
  /** Safe for the terminal. */
  readonly path: string
}

export interface NodeWork {
  readonly kind: 'node'
  readonly act: 'drain' | 'resume'
  readonly node: string
  /** Only says what would happen. */
  readonly dryRun: boolean
}

export type WorkKind = Work['kind']

export type News =
  | {
      readonly kind: 'status'
      readonly status: ClusterStatus
      readonly tasks: readonly Task[]
      readonly schedules: ScheduleSummary
    }
  | { readonly kind: 'lost'; readonly problem: string; readonly retryMs: number }
  | { readonly kind: 'event'; readonly event: ClusterEvent }
  | { readonly kind: 'snapshots'; readonly snapshots: readonly SnapshotInfo[] }
  | { readonly kind: 'node-outlook'; readonly work: NodeWork; readonly outlook: NodeOutlook }
  | {
      readonly kind: 'folder'
      readonly path: Uint8Array
      readonly entries: readonly FolderEntry[]
      readonly count: number
    }
  /** `entry` is undefined when there is nothing. */
  | { readonly kind: 'path-found'; readonly path: Uint8Array; readonly entry: FolderEntry | undefined }
  | {
      readonly kind: 'entries'
      readonly path: Uint8Array
      readonly entries: readonly FolderEntry[]
      readonly count: number
    }
  | { readonly kind: 'previewed'; readonly path: Uint8Array; readonly preview: Preview }
  | { readonly kind: 'compared'; readonly changes: readonly ShownChange[]; readonly more: boolean }
  | { readonly kind: 'restore-checked'; readonly plan: RestorePlan; readonly summary: RestoreSummary }
  | { readonly kind: 'restored'; readonly summary: RestoreSummary }
  | { readonly kind: 'files'; readonly items: readonly FileVersionInfo[]; readonly more: boolean }
  | { readonly kind: 'versions'; readonly name: string; readonly versions: readonly FileVersionInfo[] }
  | { readonly kind: 'file-changed'; readonly text: string }
  | {
      readonly kind: 'schedules'
      /** By agent and path. */
      readonly schedules: readonly Schedule[]
      readonly more: boolean
      readonly agents: readonly AgentInfo[]
    }
  /** The newest first. */
  | { readonly kind: 'schedule-runs'; readonly schedule: string; readonly runs: readonly ScheduleRun[] }
  | { readonly kind: 'schedule-changed'; readonly text: string }
  | { readonly kind: 'history'; readonly operations: readonly Operation[] }
  | { readonly kind: 'progress'; readonly of: 'backup' | 'restore'; readonly event: ProgressEvent }
  | { readonly kind: 'backed-up'; readonly summary: BackupSummary }
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'stage'; readonly what: string }
  /** It is over; with a problem when it failed, and `cancelled` when somebody wanted that. */
  | { readonly kind: 'ended'; readonly work: Work; readonly problem: string | undefined; readonly cancelled: boolean }

/** Work that is under way. */
export interface Job {
  readonly id: number
  readonly work: Work
  readonly startedMs: number
  /** It is asked to end; until it has, it is under way. */
  readonly cancelled: boolean
}
