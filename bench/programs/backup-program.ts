import type { Measurement } from '../measure/measurement.ts'

/** A program that is measured at its job. Every call is one measured command; the folder is the same in all. */
export interface BackupProgram {
  readonly name: string
  /** Saves the folder as it is now. */
  backup(source: string): Promise<Measurement>
  /** Writes what was saved last below `target`, which does not exist. */
  restore(target: string): Promise<Measurement>
  /** Where below `target` a restore puts the folder. */
  restoredPath(source: string, target: string): string
  /** Ends its processes. What it stored is removed with the directory that it was given. */
  close(): Promise<void>
}
