/** Bounds of what only people's clients do, the doctor and the full-screen one; `limits.ts` has all others. */

/** Bytes of the pack that the doctor writes to each node and reads back: some messages, and no burden. */
export const doctorPackBytes = 512 * 1024
/** How far the clock of a client may be from that of the manager before the doctor says so, in milliseconds. */
export const clockSkewMsMost = 2000
/** A node with a smaller share of its capacity left than this is nearly full. */
export const roomShareLeast = 0.1

/** Events that are remembered: some screens full, 100 KiB. */
export const tuiEventsMax = 300
/** How often it asks how the cluster is, beside being told of events, in milliseconds. */
export const tuiPollMs = 2000
/** Without an answer for so long, it says so, in milliseconds: two questions. */
export const tuiSilenceMs = 2 * tuiPollMs + 1000
/** Least time between two questions, however much happens, in milliseconds. */
export const tuiPollLeastMs = 300
/** Waits between attempts to reach a manager, in milliseconds: soon at first, and never so long that people give up. */
export const tuiRetryFirstMs = 500
export const tuiRetryMostMs = 10_000
/** Characters of a text that is typed: a longest path. */
export const tuiFieldCharactersMax = 4096
/** Snapshots that are kept at hand, the newest: some 2 KiB each. */
export const tuiSnapshotsMax = 5000
/** An escape character that is followed by nothing for so long was the Esc key, in milliseconds. */
export const tuiEscapeMs = 50
/** How long one picture of the spinner stays, in milliseconds: it is there before somebody wonders. */
export const tuiSpinnerMs = 100
/** How often ages and times are counted on, in milliseconds. */
export const tuiTickMs = 1000
/** How long a remark stays, in milliseconds. */
export const tuiNoticeMs = 8000
/** Entries of a folder that are shown: who has more filters or types a name. */
export const tuiFolderEntriesMax = 20_000
/** Packs of a backup that are listed, the newest: more than a window has lines. */
export const tuiPacksMax = 100
/** Problems of a run that are kept to be shown, the newest; all are counted. */
export const tuiProblemsMax = 100
/** Over how long a rate is measured, in milliseconds. */
export const tuiRateWindowMs = 5000
/** Bytes of a file that a preview shows, and its lines: some screens full. */
export const tuiPreviewBytesMax = 64 * 1024
/** Changes between two snapshots that are shown; a count says that there are more. */
export const tuiChangesMax = 2000
/** Operations of the history that are shown, the newest. */
export const tuiHistoryMax = 1000
/** Single files, and versions of one, that are listed. */
export const tuiFilesMax = 5000
/** In what pieces a local file is read that is stored. */
export const tuiReadPieceBytes = 1024 * 1024
/** Deletions that are looked at for files that can be brought back: each name is a call. */
export const tuiDeletedFilesMax = 100
/** Schedules that are listed, by agent and path: 2 MiB; they are asked for again and again while somebody looks. */
export const tuiSchedulesMax = 2000
/** Runs of a schedule that are listed, the newest: some screens full. */
export const tuiRunsMax = 200
