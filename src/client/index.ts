/** The client library. Everything outside this directory uses it through this file. */
export { Client } from './client.ts'
export { connectClient } from './connect.ts'
export { allPages } from './paged.ts'
export type { AdministeredSnapshots, ClientDeps, DryRunOptions, FilesPageRequest } from './client.ts'
export type { ConnectOptions } from './main.ts'
export { compressions } from '../format/codec.ts'
export type { Compression } from '../format/codec.ts'

export { Schedules } from './schedules.ts'
export type { SchedulesApi } from './schedules-api.ts'
export type { AgentsApi } from './agents-api.ts'

export type { BackupRequest, BackupSummary, WrittenPack } from './backup-request.ts'
export { createExcludes, parseExcludeFile } from './excludes.ts'
export { ignoreFileName } from './ignore-rules.ts'
export type { Excludes, ExcludeMarker, ExcludeOptions, ExcludeSubject } from './excludes.ts'
export type { SourceTree } from './source-tree.ts'
export { SourceConfined } from './source-confined.ts'
export { SourceDisk } from './source-disk.ts'
export { SourceThreaded } from './source-threaded.ts'

export type { OverwriteMode, RestoreRequest, RestoreSummary } from './restore-request.ts'
export type { RestoreTarget, TargetFile, TargetMetadata, TargetPath, TargetStat } from './restore-target.ts'
export { TargetDisk } from './target-disk.ts'

export type {
  FileEvent,
  CheckpointEvent,
  NoteEvent,
  PackEvent,
  ProblemEvent,
  ProgressEvent,
  RunOptions,
  StatusEvent,
} from './progress.ts'

export type { CheckpointInfo } from './checkpoint-info.ts'
export type { SnapshotInfo } from './snapshot-info.ts'
export { parseReference } from './snapshot-tree.ts'
export type { ListRequest } from './list-entries.ts'
export type { ListedEntry } from './tree-walker.ts'
export type { TreeEntry } from '../format/tree.ts'
export type { Manifest, SnapshotStats } from '../format/manifest.ts'
export type { ArchiveFormat, ArchiveRequest } from './archive.ts'
export type { Dump, DumpRequest } from './dump.ts'
export type { Change, DiffEntry } from './diff.ts'
export type { FindRequest, FoundEntry } from './find-entries.ts'
export type { StatsInfo } from './stats.ts'

export { groupSnapshots, judgeGroups, toRetained } from './forget.ts'
export type { GroupKey, GroupVerdict, Retained, SnapshotGroup } from './forget.ts'
export type { CheckEvent, CheckRequest, CheckSummary, CopyFinding, HurtPath, ReadSubset } from './check-request.ts'
export type { PruneEvent, PruneRequest, PruneSummary } from './prune.ts'
export type { Moved } from './repack.ts'

export type { PutFileRequest } from './put-file.ts'
export type { GetFileRequest, OpenedFile } from './get-file.ts'
export type { FileVersionInfo } from './file-version.ts'

export type { BenchmarkOptions, BenchmarkRequest } from './benchmark.ts'
export { findLimits, isComplete, isPipelineFigures } from './benchmark-report.ts'
export type { BenchmarkReport, ClusterFigures, Limit, LocalFigures, NodeFigures } from './benchmark-report.ts'
export type { Rate, RoundTrip } from './benchmark-timing.ts'

export type { DoctorOptions, DoctorRequest } from './doctor.ts'
export type { Finding, FindingGrade } from './doctor-findings.ts'
