/** One thing that may come next on a command line. */
export interface Candidate {
  readonly value: string
  readonly about: string
}

/** Kinds of words that only the cluster knows. Whoever adds things with names to the cluster adds theirs. */
export type ClusterWord = 'snapshot' | 'host' | 'tag' | 'path' | 'node' | 'file' | ScheduleWord

/** Those of scheduled backups; `schedule-path` is what a schedule saves. */
export type ScheduleWord = 'schedule' | 'schedule-path' | 'agent'
