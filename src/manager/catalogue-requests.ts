import type { RequestRow } from './catalogue-rows.ts'

/** Requests of people that were answered. */
export interface RequestReader {
  find(requestId: string): Promise<RequestRow | undefined>
}
export interface RequestWriter extends RequestReader {
  /** The id must be new. */
  add(row: RequestRow): Promise<void>
  /** Forgets some of those that are older, the oldest first. */
  dropBefore(timeMs: number, limit: number): Promise<void>
}
