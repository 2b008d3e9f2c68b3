/** Reads a file over and over, from the disk itself, whatever of it the system has in memory. */
export interface UncachedReader {
  /** Reads the next piece, from the beginning again after the last one. @returns its length in bytes. @throws `io` */
  next(): Promise<number>
  close(): Promise<void>
}
