import type { DiskEntry } from '../core/disk.ts'
import { parsePackId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import type { StoredPack } from './pack-store.ts'

export const incomingDirectory = 'incoming'
export const packsDirectory = 'packs'
export const quarantineDirectory = 'quarantine'

/** The length is missing in the names that older versions gave. */
const pattern = /^([0-9a-f]{32})\.(\d{1,10})\.(\d{1,15})(?:\.(\d{1,10}))?\.pack$/

/** What the name of a pack's file says. */
export interface NamedPut {
  readonly packId: PackId
  readonly generation: number
  readonly putSequence: number
  /** Undefined in a name of an older version. */
  readonly lengthBytes: number | undefined
}

export function shelfOf(packId: PackId): string {
  return `${packsDirectory}/${packId.slice(0, 2)}`
}

export function fileNameOf(pack: Omit<StoredPack, 'provenAtMs'>): string {
  return `${pack.packId}.${pack.generation}.${pack.putSequence}.${pack.lengthBytes}.pack`
}

export function pathOf(pack: Omit<StoredPack, 'provenAtMs'>): string {
  return `${shelfOf(pack.packId)}/${fileNameOf(pack)}`
}

/** Undefined for a name that this program never gives. */
export function parseFileName(name: string): NamedPut | undefined {
  const [, id, generation, putSequence, length] = pattern.exec(name) ?? []
  if (id === undefined) return undefined
  const lengthBytes = length === undefined ? undefined : Number(length)
  const put = { packId: parsePackId(id), generation: Number(generation), putSequence: Number(putSequence) }
  // Leading zeros would make two names of one put.
  const again = [put.packId, put.generation, put.putSequence, ...(length === undefined ? [] : [lengthBytes])]
  return `${again.join('.')}.pack` === name ? { ...put, lengthBytes } : undefined
}

/** What a file among the packs is. */
export type ShelvedFile =
  | { readonly kind: 'pack'; readonly pack: StoredPack; readonly path: string }
  | { readonly kind: 'damaged'; readonly put: NamedPut | undefined; readonly problem: string }

/** Judges a file by its name, its place and its length; its content is for the scrub. */
export function readShelved(shelf: string, entry: DiskEntry): ShelvedFile {
  const put = parseFileName(entry.name)
  if (put === undefined || entry.directory) return { kind: 'damaged', put: undefined, problem: 'it is no pack' }
  const { packId, generation, putSequence } = put
  const lengthBytes = put.lengthBytes ?? entry.length
  const path = `${packsDirectory}/${shelf}/${entry.name}`
  const damaged = (problem: string): ShelvedFile => ({ kind: 'damaged', put, problem })
  if (shelfOf(packId) !== `${packsDirectory}/${shelf}`) return damaged('its file is on the shelf of others')
  if (entry.length === 0) return damaged('its file is empty')
  if (entry.length !== lengthBytes) return damaged(`its file has ${entry.length} of ${lengthBytes} bytes`)
  return { kind: 'pack', pack: { packId, generation, putSequence, lengthBytes, provenAtMs: 0 }, path }
}
