import type { LogEntry, LogPosition } from '../../src/core/model.ts'
import { logBeginning, logHash, recoveryKind } from '../../src/format/log-chain.ts'

export const life = (digit: string): string => digit.repeat(32)

/** Entries that follow each other; different texts make different logs. */
export function chainOf(texts: readonly string[], after: readonly LogEntry[] = []): LogEntry[] {
  const chain = [...after]
  for (const text of texts) {
    const last = chain.at(-1)
    const previousHash = last?.hash ?? logBeginning
    const kind = text.startsWith(recoveryKind) ? recoveryKind : 'commit'
    const payload = Buffer.from(JSON.stringify({ text }))
    const sequence = (last?.sequence ?? 0) + 1
    chain.push({ sequence, previousHash, hash: logHash(previousHash, kind, payload), kind, payload })
  }
  return chain
}

export function positionAt(entry: LogEntry | undefined, more: Partial<LogPosition> = {}): LogPosition {
  if (entry === undefined) throw new Error('there is no such entry')
  return { epoch: 1, life: life('a'), sequence: entry.sequence, hash: entry.hash, ...more }
}
