/** Every bound of the system, with its unit in its name and its reason beside it. */

const KiB = 1024
const MiB = 1024 * KiB

/** Largest run of file bytes in one message. Receivers allow 4 MiB; four of these still fit an HTTP/2 window. */
export const sliceBytesMax = 1 * MiB
/** What our own senders put in one message: large enough that per-message cost vanishes, small enough to overlap. */
export const sliceBytes = 256 * KiB
/** What a node puts in one message of a read: nothing waits for its first bytes, so as few messages as may be. */
export const readSliceBytes = sliceBytesMax
/** Largest message that any server or client accepts: gRPC's own default, so that foreign clients need no option. */
export const messageBytesMax = 4 * MiB
/** HTTP/2 window per stream and connection: 4 MiB allows 800 MB/s at 5 ms; the default of 64 KiB allows 13. */
export const flowControlWindowBytes = 4 * MiB
/**
 * Windows of all incoming streams of a node together, in which unread bytes wait: eight have whole ones of 4 MiB, 64
 * have 512 KiB each, and from 256 on each has the least, half a slice: with less, a message needs many round trips.
 */
export const streamWindowsBytes = 32 * MiB
export const flowControlWindowBytesMin = 128 * KiB

/** FastCDC: smallest, average and largest chunk. */
export const chunkBytesMin = 256 * KiB
export const chunkBytesAverage = 1 * MiB
export const chunkBytesMax = 4 * MiB

/** Files up to this length share chunks with others: below it, what each chunk costs outweighs finding it again. */
export const bundledFileBytesMax = 32 * KiB
/** Chunks of small files: large enough to compress well and to be few, small enough to restore one file from. */
export const bundleBytesMin = 128 * KiB
export const bundleBytesAverage = 512 * KiB
export const bundleBytesMax = 2 * MiB

/** A pack is closed when it reaches this many bytes; what a client must hold to send it again if a primary dies. */
export const packBytesTarget = 16 * MiB
/** Largest pack: one more chunk after the target was just missed, its index and a little room. */
export const packBytesMax = 64 * MiB
/** Records per pack, so that index and commit stay small: 16,384 entries are under 1 MiB of index. */
export const packRecordsMax = 16_384
/** Plain bytes of one record's body: a largest chunk; trees and extent lists stay far below. */
export const recordBodyBytesMax = chunkBytesMax
/** Chunks that one record refers to: 2 MiB of references; an extent list needs at most 16,384 of them. */
export const recordRefsMax = 65_536
/** References of all records of a pack, in bytes: what a node keeps in memory of an upload until it is committed. */
export const packRefsBytesMax = 16 * MiB
/** Longest snapshot manifest: it travels in one message and is held by nodes while a pack passes. */
export const manifestBytesMax = 1 * MiB

/** Entries of one tree record; a larger directory is cut into parts so that one new file changes one part. */
export const treeEntriesAverage = 2048
export const treeEntriesMax = 8192
/** Plain bytes of one tree record; far below `chunkBytesMax` so that one long symlink cannot break it. */
export const treeBytesTarget = 1 * MiB
/** Extents kept in a file's entry; more go to extent lists of `extentsPerList`. 1024 are a file of about 1 GiB. */
export const extentsInlineMax = 1024
export const extentsPerList = 16_384
/** Depth of directories that are followed, far above what path names allow in one call (PATH_MAX 4096). */
export const treeDepthMax = 4096
/** Longest file name in bytes, as on Linux. */
export const nameBytesMax = 255
/** Longest name of a file of the `Files` service, in bytes. */
export const fileNameBytesMax = 1024

/** Packs of one client in transfer or fsync, beside the one being filled; each costs it `packBytesTarget`. */
export const packsInFlight = 2
/** Chunks that one client compresses at the same time: each takes a context of 2 to 3 MB and room for the result. */
export const compressedAtOnce = 2
/** Chunk ids of one look-up or location request: 8192 × 34 bytes are 279 KB, far below a message. */
export const lookupIdsMax = 8192
/** Ranges of one read request. */
export const readRangesMax = 4096
/** Replicas that an upload may name; nobody keeps more than eight copies. */
export const replicasMax = 7
/** Items of one page of a list. */
export const pageSizeDefault = 100
export const pageSizeMax = 1000
/** Entries per message of a pack commit: tens of bytes each without references. */
export const commitBatchBytes = 1 * MiB

/** How often the manager compares the room that it reserved with the packs that are open. */
export const reservationAuditMs = 30_000
/** Packs that are looked at then: some 10 ms of the catalogue. */
export const reservationsPerAuditMax = 1000

/** Heartbeats once a second: a dead node gets nothing new after five missed ones. */
export const heartbeatIntervalMs = 1000
export const nodeSuspectAfterMs = 5000
/** HDFS waits ten minutes before it calls a node dead, so that a reboot starts no storm of copies. */
export const nodeDeadAfterMs = 600_000
/** How long a node writes without hearing from the manager: less than anything the manager concludes from silence. */
export const nodeLeaseMs = 30_000
/** How long a session lives without a sign of life; clients renew at a third of it. */
export const sessionLeaseMs = 60_000
/** How long a ticket is valid: an upload of a largest pack at 1 MB/s takes a minute. */
export const ticketLifeMs = 15 * 60_000
/** How far the times of two machines may differ in a ticket's expiry check. */
export const clockSkewMs = 5000

/** How long nothing may move in a stream before it counts as dead. */
export const streamIdleMs = 30_000
/** Deadline of unary calls; commits may wait for fsync behind others. */
export const unaryDeadlineMs = 10_000
export const commitDeadlineMs = 60_000
/** A heartbeat that takes longer than this is as good as lost; the next one is due. */
export const heartbeatDeadlineMs = 3000
/** How long a client keeps trying to reach a manager that is restarting before it gives up. */
export const managerOutageMs = 60_000
/** How long a client or primary keeps asking for nodes before it says `not enough nodes` or `no room`. */
export const placementPatienceMs = 15_000
/**
 * Bytes of slices that a node checks, writes and forwards at one time, of uploads and of replications. Apart, because
 * an upload waits for another node's replication, and a replication only for the disk: so they always get on. Besides
 * the slice itself an upload holds a copy for each replica, on its way to the socket.
 */
export const uploadBytesInWork = 16 * MiB
export const replicationBytesInWork = 8 * MiB
/**
 * What one upload or replication counts for, or its length if that is less: two messages of `sliceBytes` that wait, one
 * that is worked on, and one on its way to a replica.
 */
export const packStreamBytes = 4 * sliceBytes
/** … and at least this: the window and what gRPC keeps for a stream. */
export const packStreamBytesMin = 128 * KiB
/**
 * Bytes of packs that a node lets in at once, as a primary and as a replica: 32 large packs, or 256 small ones. Who is
 * not let in is not read from. Apart, so that nodes which write to each other never wait in a circle.
 */
export const uploadBytesAdmitted = 32 * MiB
export const replicationBytesAdmitted = 32 * MiB
/** Bytes of reads in progress: each counts for its buffer and the message on its way, so 16 of `readSliceBytes`. */
export const readBytesAdmitted = 32 * MiB
/** Reads are answered in messages of this length when half of that is taken: then 64 more fit. */
export const readSliceBytesBusy = 128 * KiB
/** How long a node lets somebody wait for room before it refuses: less than `lateCopyMs`, so reads hear of it. */
export const roomPatienceMs = 1000
/** Callers that wait for room: each costs some 20 KiB. */
export const roomWaitersMax = 1024
/** How long a primary tries to get room on a replica before it refuses its own client: far less than `streamIdleMs`. */
export const replicaRoomPatienceMs = 5000
/** The longest that somebody who was refused waits before asking again. */
export const roomRetryMostMs = 10_000
/** How often a client asks a node again with the same ticket, before it asks the manager for other nodes. */
export const roomRetriesPerTicket = 4
/** A file of the `Files` service is a small one up to here, and counts as so much; 16 of them at once. */
export const fileBytesSmall = 1 * MiB
export const filesSmallAdmitted = 16 * MiB
/** A longer one counts as what a client holds: packs 3 × 16, batches 3 × 6 MiB, rounded down; two of them at once. */
export const fileBytesLarge = 64 * MiB
export const filesLargeAdmitted = 128 * MiB
/** How long a file waits for room before it is refused: less than `streamIdleMs`. */
export const filesPatienceMs = 10_000
/**
 * The most memory of a node: uploads 32, replications 32, reads 32 and windows 32 are 128 MiB, in work beyond that 24,
 * pieces on their way to the disk 16, the program about 100; the rest is what the collector, the allocator and
 * connections keep. Where the `Files` service is used, its 16 and 128 come on top.
 */
export const nodeMemoryBytesMax = 384 * MiB
/**
 * Work that clients have in the catalogue at once, at 64 bytes for a chunk and 128 for a record: two look-ups of
 * `lookupIdsMax`, or 64 commits of 128 records, which share an fsync. It is done in some 50 ms.
 */
export const managerWorkBytes = 1 * MiB
/** How long that is waited for before a call is refused: far less than `unaryDeadlineMs`. */
export const managerPatienceMs = 3000
/** Commits and reports of nodes that are read at once: each usually far below 1 MiB, 64 of them. */
export const managerReportBytes = 1 * MiB
export const managerReportsBytes = 64 * MiB
/**
 * The most memory of a manager whose catalogue is small: the program about 100 MiB, SQLite 32, reports 64, and what the
 * collector keeps. Chunks add 2 bytes each; `docs/performance.md` has the table.
 */
export const managerMemoryBytesMax = 256 * MiB
/**
 * Slices are put together to pieces of this length before they go to a disk around the system's cache. So many files
 * may do so at once, each with two pieces: 16 MiB. Further ones go through the cache.
 */
export const stagingBytes = 512 * KiB
export const stagedFilesMax = 16
/** A node refuses packs when its disk has less than this left, so that deletions and logs still work. */
export const diskReserveBytes = 64 * MiB

/** Copies of a pack, and how many must be durable before the write is acknowledged. */
export const copiesDefault = 2
export const minCopiesDefault = 2

/** Sessions that are open at once: each costs a few hundred bytes of the manager's memory. */
export const sessionsOpenMax = 10_000
/** Packs that one session may have allocated and not settled: many times `packsInFlight`. */
export const openPacksPerSessionMax = 64
/** What a benchmark sends at most: its packs stay open to the end, and are half of what a session may have open. */
export const benchmarkBytesMax = (openPacksPerSessionMax / 2) * packBytesTarget
/** Packs in one message of an inventory: 4096 × about 60 bytes. */
export const inventoryBatchPacksMax = 4096
/** Packs of one node: 4 million of 16 MiB are 64 TiB; their list takes the manager some 800 MB for a moment. */
export const packsPerNodeMax = 4_000_000

/** Log entries on one heartbeat reply: some 100 commits. Who wants more asks again at once, and others have a turn. */
export const logEntriesPerReplyMax = 128
export const logBytesPerReply = 32 * KiB
/** Payload of one log entry: an entry with all its fields fits one message many times. */
export const logPayloadBytesMax = 1 * MiB
/** Files that a node's log may consist of before they are put together; each start of the node begins one. */
export const logFilesMax = 16
/** Log entries that a manager remembers: more than nodes lag behind by in everyday life, and at most 4 MiB of them. */
export const logEntriesRemembered = 4096
export const logBytesRemembered = 4 * MiB
/** How long a client waits for a node to record a commit, before it asks another one. */
export const witnessDeadlineMs = 3000
/** How long a client asks nodes to record a commit before it says that too few did. */
export const witnessPatienceMs = 15_000

/** How often the manager gives nodes a copy of its catalogue, and how many of them each keeps. */
export const catalogueCopyIntervalMs = 15 * 60_000
export const catalogueCopiesKept = 2

/** Orders on one heartbeat reply: 256 × about 150 bytes. */
export const ordersPerHeartbeatMax = 256
/** Of these, those that nothing durable stands behind; they go first, because the others may be many. */
export const passingOrdersPerHeartbeatMax = 64
/** Lists of packs that one process of a node sends: at one a minute this is a life of 8000 years. */
export const reportsPerRegistrationMax = 2 ** 32
/** How often a node is asked for the list of its packs when nothing else calls for it: four times a day. */
export const inventoryIntervalMs = 6 * 3_600_000
/** How long after one list the next is asked for when digests differ, or when a node could not send it. */
export const inventoryAgainMs = 60_000
/** How long a digest that agreed is not compared again while it stays the same. */
export const digestAgreedMs = 30_000
/** Packs of a list that one transaction takes in: each costs a few look-ups and up to one write, so about 20 ms. */
export const inventorySliceRows = 1024
/** How late a newer time of proof may show in what is remembered of snapshots. */
export const provenShownAfterMs = 60_000
/** Packs that one node sends, and receives, for repair at once: so that backups and restores go on beside it. */
export const repairsPerNodeMax = 2
/** Packs that one step of repair looks at: some 20 ms of the catalogue's time. */
export const repairLookMax = 256
/** The same when a copy has ended and its place is free: as many as surely fill it. */
export const repairLookAgainMax = 32
/** How often the catalogue is gone through for packs to repair although nothing called for it. */
export const repairRescanMs = 3_600_000
/** How long a copy may take before another is ordered instead: as long as its ticket lives. */
export const copyPatienceMs = ticketLifeMs
/** How long a pack whose copy failed waits before the next try. */
export const repairBackoffFirstMs = 2000
export const repairBackoffMostMs = 300_000
/** Packs whose failures are remembered, about 200 bytes each. */
export const repairAttemptsMax = 10_000
/** Surplus copies that one transaction gives up. */
export const trimBatchMax = 64
/** How often a draining node's copies are gone through to see what is left. */
export const drainCheckMs = 10_000
/** The same while they are no more than `inventorySliceRows`: some milliseconds each time. */
export const drainCheckFewMs = 1000
/** How far from the mean share rebalancing leaves a node, as a part of its capacity. */
export const rebalanceTolerance = 0.05
/** Snapshots that a preview names; the rest is a number. */
export const previewSnapshotsMax = 100
/** How often the manager looks for sessions whose lease ran out, and how many it ends in one go. */
export const sessionSweepIntervalMs = 1000
export const sessionSweepBatchMax = 64
/** Waiting catalogue writes that share one fsync. */
export const catalogueGroupMax = 64
/** Rows that one catalogue read of a long walk touches before others get their turn: about 50 ms. */
export const catalogueSliceRows = 8192
/** Snapshots with too few copies that a status names: 20 × about 300 bytes. */
export const endangeredShownMax = 20
/** Copies of one node that wait for a check because somebody could not read them: 1000 × about 150 bytes. */
export const badCopiesPerNodeMax = 1000
/** Checks ordered with one heartbeat reply: a node has two in work. */
export const checksPerHeartbeatMax = 8
/** For how long a copy that was checked is not checked again, whoever complains, and how many are remembered. */
export const checkAgainAfterMs = 600_000
export const checksRememberedMax = 10_000
/** How often a check that the node could not carry out is ordered again. */
export const checkAttemptsMax = 3
/** Copies that one client reports: whoever meets more has told enough, `check` finds the others. */
export const badCopiesReportedMax = 256
/** Length of what is said about a problem, in characters: it goes to the log. */
export const problemCharactersMax = 1000
/** Problems of the catalogue that a check names: who has more needs another catalogue, not a longer list. */
export const catalogueProblemsMax = 1000
/** Packs whose loss is assessed at once: their chunks, some 64 each, are 2 MB. */
export const lossPacksMax = 1000
/** Packs of one page that names a record of each: 64 packs of about 64 records, at most 16,384. */
export const sampledPacksMax = 64
/** Copies that a check has read at the same time, of all nodes and of each: a disk reads one after the other anyway. */
export const checkedCopiesInFlight = 8
export const checkedCopiesPerNode = 2
/** Events that are kept for those who watch: 10,000 × about 300 bytes are 3 MB. */
export const eventsKeptMax = 10_000
/** Snapshots whose copies changed that one look at the cluster tells of: a tenth of what is kept. */
export const durabilityEventsMax = 1000
export const observeIntervalMs = 1000
/** Who watch at the same time, and how often they hear that the stream is alive: well below `streamIdleMs`. */
export const watchersMax = 64
export const watchAliveMs = 10_000
/** Length of client-chosen request ids, and of host and user names, in characters. */
export const requestIdCharactersMax = 128
export const actorNameCharactersMax = 255
/** Bytes of one read of a pack by a client, stored or plain, whichever is more; `readsInFlight` are in memory. */
export const readTaskBytes = 8 * MiB
/** Reads in progress of one client: enough to keep two nodes and the network busy; with the above 32 MiB, twice. */
export const readsInFlight = 4
/** Unwanted bytes that are read along to merge two ranges: cheaper than a seek. */
export const readGapBytes = 64 * KiB
/** How long a client waits for the next byte of one copy while there is another. */
export const lateCopyMs = 3000
/** Trees that are fetched at once while a snapshot is walked; each is at most about `treeBytesTarget`. */
export const treesAtOnce = 64
/** Files that a restore has open at once, each by up to two descriptors, and directory handles: together below 1024. */
export const restoreOpenFilesMax = 128
export const restoreDirectoriesOpenMax = 128
/** Places of chunks that a restore collects before it loads them: 4096 small files are some 15 chunks they share. */
export const restorePlacesMax = 4096
/** Chunks whose files are being written beside the reading: two for each of two threads; at most 4 MiB each. */
export const restoreWritesInFlight = 4
/** Threads that write files: more wait for each other in the file system. Each has handles of its own. */
export const writingThreadsMax = 4
/** Bytes of the items of one page or one answer that lists things: half a message, so that the rest fits for sure. */
export const pageBytesMax = 2 * MiB
/** Deadline of small questions that a person waits for: a dead manager must not look like a slow one for long. */
export const interactiveDeadlineMs = 5_000
/** Deadline of the full check of one pack: a largest pack at 1 MB/s takes a minute. */
export const verifyDeadlineMs = 120_000
/** How long a forgotten snapshot can be brought back, unless the manager is told otherwise: a week. */
export const trashWindowMs = 7 * 24 * 3_600_000
/** Snapshots that one call forgets, brings back or pins: 1000 × 66 bytes. */
export const adminSnapshotsMax = 1000
/**
 * How long the answer to a request of `Admin` is kept, for the case that the request arrives again: far longer than any
 * network holds one. At 200 bytes each, one a minute all week is 2 MB.
 */
export const adminRequestsKeptMs = 7 * 24 * 3_600_000
/** Older ones that each new request makes room of: more than it takes itself, so that they never pile up. */
export const adminRequestsDroppedAtOnce = 16
/** Snapshots whose sets of packs one slice of garbage collection reads: 64 sets of 10,000 packs take about 10 ms. */
export const gcSnapshotsPerSlice = 64
/** Packs that one slice of garbage collection looks at, and condemns at the most: some milliseconds. */
export const gcPacksPerSlice = 1024
/** Packs that one transaction deletes: with the usual 30 chunks each 1000 rows, some 10 ms. */
export const gcPacksPerDelete = 32
/** Unused bytes in packs that are needed, in thousandths of all, which are not worth moving the rest: restic's 5 %. */
export const unusedPermilleDefault = 50
/** A pack below this is small: moving it costs little, and each pack costs a row, a file on each node and a read. */
export const smallPackBytes = packBytesTarget / 4
/** So many small packs are put together even if they do not fill one of `packBytesTarget`. */
export const smallPacksMax = 64
/** Packs that a mover reports as finished at once: each call rewrites the sets of packs of all snapshots concerned. */
export const repackFinishPacks = 256
/** How often a client asks how far a prune is. */
export const prunePollMs = 300
/** Copies that were put aside, and copies that were proven, on one heartbeat: 1024 × about 60 bytes. */
export const damagedPerHeartbeatMax = 256
export const provenPerHeartbeatMax = 1024
/** Proofs that wait for a manager that is away: 65,536 × about 150 bytes; older ones are in the next inventory. */
export const provenWaitingMax = 65_536
/** How long a node waits before it tells that orders were carried out, so that several go together. */
export const orderNewsDelayMs = 20
/** How long a node waits before it asks again whether its store was rolled back. */
export const rolledBackAgainMs = 1000
/** Orders that a node holds, running or waiting: four replies' worth; more are not taken, and given again later. */
export const ordersHeldMax = 4 * ordersPerHeartbeatMax
/** Packs that a node sends to others by order at once: each costs `sliceBytesMax` and a stream. */
export const copiesAtOnce = 2
/** The smallest slices that a copy under a bound is sent in: at 1 KiB/s still one every four seconds. */
export const copySliceBytesMin = 4 * KiB
/** Packs that a node reads by order, to check them, at once: more would only make the disk seek. */
export const checksAtOnce = 1
/** Removals by order at once: each is a change of names and a sync. */
export const removalsAtOnce = 4
/** Every pack is read and checked within this time. */
export const scrubPeriodMs = 14 * 86_400_000
/** Slowest and fastest default reading of the scrub, in bytes a second: 1.2 TB and 77 TB in 14 days. */
export const scrubRateMin = 1 * MiB
export const scrubRateMax = 64 * MiB
/** A disk that cannot read is asked again after these, in milliseconds: what was reset or away is back by then. */
export const readAgainAfterMs: readonly number[] = [200, 2000]
/** How long the scrub lets uploads go first before each `sliceBytesMax`: under endless load it goes at 1 MiB/s. */
export const scrubYieldMs = 1000
/** How long the scrub waits at most before it looks again for packs that are due. */
export const scrubIdleMs = 60_000
/** Public keys kept ready to check signatures, of nodes and managers: about a kilobyte each. */
export const publicKeysKept = 2048
/** Proofs that are saved together: losing them costs reading 16 packs again. */
export const scrubProofsPerSave = 16

/** How often a backup saves a checkpoint: an interrupted one reads again what it read in this time, at the most. */
export const checkpointIntervalMs = 5 * 60_000
/** A backup spends at most a twentieth of its time on checkpoints, unless told otherwise: so long is the pause. */
export const checkpointPauseFactor = 19
/** When a checkpoint that could not be saved is tried again. */
export const checkpointRetryMs = 30_000
/** Checkpoints that a manager works on at once: each walks all trees of a backup. More are refused, and come again. */
export const checkpointsAtOnce = 4
/** How long an interrupted backup may take for a checkpoint: less than the 10 s after which container runtimes kill. */
export const checkpointGraceMs = 8000
/** How long an unfinished backup can be gone on with: a week, like the trash. */
export const checkpointKeepMs = trashWindowMs
/** Checkpoints of all hosts together, one for each host and set of paths; the oldest goes. */
export const checkpointsMax = 1000
