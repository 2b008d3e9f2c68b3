import { isTwofoldError } from '../../core/errors.ts'
import { parseSnapshotId, toHex } from '../../core/ids.ts'
import type { LogRow, RequestRow } from '../catalogue-rows.ts'
import { ScheduleFacts } from './schedule-facts.ts'

export interface LoggedCommit {
  readonly commitSequence: number
  readonly committedAtMs: number
  readonly fileVersion: number
}

export interface LoggedDeletion {
  readonly vault: string
  readonly name: string
  readonly version: number
  readonly createdAtMs: number
}

export interface LoggedVault {
  readonly name: string
  /** In hexadecimal. */
  readonly vaultId: string
  readonly copies: number
  readonly minCopies: number
}

type Fields = Readonly<Record<string, unknown>>

/**
 * What the log says that the packs do not. Entries are taken in the order of their numbers; where two logs went apart,
 * what either says was removed is removed, and what either says was committed is committed.
 */
export class LogFacts {
  readonly commits = new Map<string, LoggedCommit>()
  readonly removed = new Set<string>()
  /** When the time of those in the trash is over, in milliseconds. */
  readonly trashed = new Map<string, number>()
  /** Why those that are pinned are. */
  readonly pins = new Map<string, string>()
  /** Tags that snapshots were given after they were made. */
  readonly tags = new Map<string, readonly string[]>()
  readonly deletions: LoggedDeletion[] = []
  readonly vaults = new Map<string, LoggedVault>()
  /** Names by id. */
  readonly nodes = new Map<string, string>()
  readonly scheduling = new ScheduleFacts()
  /** Decisions that were carried out, by the ids of their requests. */
  readonly requests = new Map<string, RequestRow>()
  clusterId = ''
  epoch = 0
  /** Entries of kinds that this version of the program does not know: how many of each. */
  readonly unknown = new Map<string, number>()
  /** What each kind of entry says. A kind that another part of the manager adds is entered here. */
  readonly #kinds: Readonly<Record<string, (fields: Fields) => void>> = {
    cluster: (fields) => void (this.clusterId ||= text(fields, 'clusterId')),
    vault: (fields) => {
      const name = text(fields, 'name')
      const vaultId = text(fields, 'vaultId')
      this.vaults.set(name, { name, vaultId, copies: number(fields, 'copies'), minCopies: number(fields, 'minCopies') })
    },
    node: (fields) => void this.nodes.set(text(fields, 'nodeId'), text(fields, 'name')),
    'node-removed': (fields) => void this.nodes.delete(text(fields, 'nodeId')),
    epoch: (fields) => void (this.epoch = Math.max(this.epoch, number(fields, 'epoch'))),
    recovery: (fields) => void (this.epoch = Math.max(this.epoch, number(fields, 'epoch'))),
    commit: (fields) => {
      const commitSequence = number(fields, 'commitSequence')
      const committedAtMs = number(fields, 'committedAtMs')
      const fileVersion = number(fields, 'fileVersion')
      this.commits.set(text(fields, 'snapshotId'), { commitSequence, committedAtMs, fileVersion })
    },
    forget: (fields) => snapshotsOf(fields).forEach((id) => this.trashed.set(id, number(fields, 'expiresAtMs'))),
    undelete: (fields) => snapshotsOf(fields).forEach((id) => this.trashed.delete(id)),
    pin: (fields) => snapshotsOf(fields).forEach((id) => this.pins.set(id, text(fields, 'reason'))),
    unpin: (fields) => snapshotsOf(fields).forEach((id) => this.pins.delete(id)),
    tag: (fields) => snapshotsOf(fields).forEach((id) => this.tags.set(id, texts(fields, 'tags'))),
    // What is still there of them is garbage, which is found again.
    'packs-deleted': () => undefined,
    request: (fields) => {
      const requestId = text(fields, 'requestId')
      const digest = Buffer.from(text(fields, 'digest'), 'hex')
      this.requests.set(requestId, {
        requestId,
        timeMs: number(fields, 'timeMs'),
        digest,
        answer: text(fields, 'answer'),
      })
    },
    remove: (fields) => snapshotsOf(fields).forEach((id) => this.removed.add(id)),
    'delete-file': (fields) => {
      const named = { vault: text(fields, 'vault'), name: text(fields, 'name') }
      this.deletions.push({ ...named, version: number(fields, 'version'), createdAtMs: number(fields, 'createdAtMs') })
    },
  }

  take(row: LogRow): void {
    const { kind, payload } = row
    const fields = JSON.parse(Buffer.from(payload).toString()) as Fields
    if (this.scheduling.take(row, fields)) return
    const meaning = this.#kinds[kind]
    if (meaning === undefined) this.unknown.set(kind, (this.unknown.get(kind) ?? 0) + 1)
    else meaning(fields)
  }

  /** The vault of this identity. One that no log names gets a name after it. */
  vaultOf(vaultId: Uint8Array, defaults: { copies: number; minCopies: number }): LoggedVault {
    const hex = toHex(vaultId)
    const known = [...this.vaults.values()].find((vault) => vault.vaultId === hex)
    return known ?? { name: `recovered-${hex.slice(0, 8)}`, vaultId: hex, ...defaults }
  }
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

function texts(fields: Fields, name: string): string[] {
  const value = fields[name]
  return Array.isArray(value) ? (value as unknown[]).filter((item) => typeof item === 'string') : []
}

function number(fields: Fields, name: string): number {
  const value = fields[name]
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

/** The snapshots that an entry is about: one, or a list. */
function snapshotsOf(fields: Fields): string[] {
  const list = [
    fields['snapshotId'],
    ...(Array.isArray(fields['snapshotIds']) ? (fields['snapshotIds'] as unknown[]) : []),
  ]
  return list.flatMap((id) => {
    try {
      return typeof id === 'string' ? [parseSnapshotId(id)] : []
    } catch (error) {
      if (isTwofoldError(error, 'invalid-argument')) return []
      throw error
    }
  })
}
