/** Bounds of what people ask for, as in `limits.ts`. */
import { streamIdleMs } from './limits.ts'

const KiB = 1024

/** Tags that a snapshot can be given, and how long each may be: 100 × 256 characters are 100 KiB at the most. */
export const tagsPerSnapshotMax = 100
export const tagCharactersMax = 256

/**
 * How long a manager that shuts the cluster down waits for nodes to say that they stop, in milliseconds: many
 * heartbeats, and as long as two streams that move no more may take to be given up.
 */
export const shutdownNodesMs = 2 * streamIdleMs
/** How long it then goes on answering, so that whoever asked for it hears the end, in milliseconds. */
export const shutdownTellMs = 1000

/**
 * The lowest bound that a client may set on what it sends or reads, in bytes a second. Three streams that share it move
 * `readSliceBytes` in 24 seconds, less than `streamIdleMs`, and two a pack in 4 minutes, less than `ticketLifeMs`.
 */
export const rateBytesMin = 128 * KiB

/** Bytes of an ignore file that are read; what is as long as this is not taken for one. */
export const ignoreFileBytesMax = 256 * KiB

/** Reads of files that a backup may have on their way: each holds up to 1 MiB, or a descriptor. */
export const readsAtOnceMax = 64

/**
 * Operations of each kind that are remembered if they made nothing, such as backups that found nothing new: about 300
 * bytes each. A hundred schedules for every 15 minutes fill it in a day; the list of runs of a path goes further back.
 */
export const routineOperationsKept = 10_000
