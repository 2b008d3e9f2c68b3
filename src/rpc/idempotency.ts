/**
 * What happens when a call is made twice, for every call of the protocol; the proto files say by what. A call that is
 * not in this table may not exist.
 *
 * - `read`: changes nothing.
 * - `same`: the second one finds what the first one did and answers the same, or does no harm.
 * - `settle`: not to be repeated as it is. Its outcome is asked for first: `AbandonPack` for packs; for a put, a
 *   `request_id` makes it `same`.
 */
export type Idempotency = 'read' | 'same' | 'settle'

export const idempotency: Readonly<Record<string, Idempotency>> = {
  '/twofold.v1.Manager/Register': 'same',
  '/twofold.v1.Manager/Heartbeat': 'same',
  '/twofold.v1.Manager/ReportInventory': 'same',
  '/twofold.v1.Manager/ReportRecords': 'same',
  '/twofold.v1.Manager/ReadCatalogueBackup': 'read',
  '/twofold.v1.Manager/CommitPack': 'same',
  '/twofold.v1.Manager/ReplaceReplica': 'same',
  '/twofold.v1.Manager/BeginBackup': 'same',
  '/twofold.v1.Manager/RenewSession': 'same',
  '/twofold.v1.Manager/EndSession': 'same',
  '/twofold.v1.Manager/LookupChunks': 'read',
  '/twofold.v1.Manager/AllocatePack': 'same',
  '/twofold.v1.Manager/AbandonPack': 'same',
  '/twofold.v1.Manager/CommitSnapshot': 'same',
  '/twofold.v1.Manager/SaveCheckpoint': 'same',
  '/twofold.v1.Manager/ListCheckpoints': 'read',
  '/twofold.v1.Manager/LocateChunks': 'read',
  '/twofold.v1.Manager/ReportBadCopy': 'same',
  '/twofold.v1.Manager/ListSnapshots': 'read',
  '/twofold.v1.Manager/GetSnapshot': 'read',
  '/twofold.v1.Manager/ListSnapshotPacks': 'read',
  '/twofold.v1.Manager/ListNodes': 'read',
  '/twofold.v1.Manager/GetStatus': 'read',
  '/twofold.v1.Manager/WatchCluster': 'read',
  '/twofold.v1.Manager/ListHistory': 'read',
  '/twofold.v1.Manager/ListFileVersions': 'read',
  '/twofold.v1.Manager/DeleteFile': 'same',
  '/twofold.v1.Admin/ForgetSnapshots': 'same',
  '/twofold.v1.Admin/UndeleteSnapshots': 'same',
  '/twofold.v1.Admin/PinSnapshots': 'same',
  '/twofold.v1.Admin/Prune': 'same',
  '/twofold.v1.Admin/GetPrune': 'read',
  '/twofold.v1.Admin/BeginRepack': 'same',
  '/twofold.v1.Admin/ListRepackable': 'read',
  '/twofold.v1.Admin/FinishRepack': 'same',
  '/twofold.v1.Admin/CheckCatalogue': 'read',
  '/twofold.v1.Admin/ListPacks': 'read',
  '/twofold.v1.Admin/AssessLoss': 'read',
  '/twofold.v1.Admin/DrainNode': 'same',
  '/twofold.v1.Admin/ResumeNode': 'same',
  '/twofold.v1.Admin/RemoveNode': 'same',
  '/twofold.v1.Admin/Rebalance': 'same',
  '/twofold.v1.Admin/ListTasks': 'read',
  '/twofold.v1.Storage/Upload': 'settle',
  '/twofold.v1.Storage/Read': 'read',
  '/twofold.v1.Storage/Stat': 'read',
  '/twofold.v1.Storage/Verify': 'read',
  '/twofold.v1.Storage/Witness': 'same',
  '/twofold.v1.Replication/Replicate': 'settle',
  '/twofold.v1.Files/Put': 'settle',
  '/twofold.v1.Files/Get': 'read',
  '/twofold.v1.Files/List': 'read',
  '/twofold.v1.Files/Delete': 'same',
  '/twofold.v1.Files/History': 'read',
}
