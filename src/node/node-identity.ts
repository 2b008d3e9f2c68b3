import type { Disk } from '../core/disk.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { fromHex, parseClusterId, parseIncarnation, parseNodeId, randomHexId, toHex } from '../core/ids.ts'
import type { ClusterId, Incarnation, NodeId } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { readRecord, writeRecord } from './durable-record.ts'

/** Who a store is. Its id is written once when it is formatted, and never made up for a store that has lost it. */
export interface NodeIdentity {
  readonly nodeId: NodeId
  readonly incarnation: Incarnation
  /** Undefined until the first registration. */
  readonly clusterId: ClusterId | undefined
  /** How many processes have served the store, this one included. */
  readonly bootNumber: number
  /** Seed of the key that signs receipts, 32 bytes. */
  readonly signingSeed: Uint8Array
}

const fileName = 'node.json'
const formatVersion = 1
/** What may stand in a directory that was never formatted: the lock of the process that is about to do it. */
const harmless = /^lock(-journal|-wal|-shm)?$/

/**
 * Leaves a directory alone that is no node's, not even with a lock in it.
 * @throws `failed-precondition` for a directory that has something in it but no identity: most likely a disk that is
 * not mounted, or not a node's directory at all.
 */
export async function requireStoreOrEmpty(disk: Disk): Promise<void> {
  const names = (await disk.list('')).map((entry) => entry.name)
  if (names.includes(fileName)) return
  const other = names.find((name) => !harmless.test(name) && name !== `${fileName}.tmp`)
  if (other === undefined) return
  throw new TwofoldError(
    'failed-precondition',
    `the data directory has no ${fileName}, but it is not empty (${other}): is the right disk mounted? ` +
      'Give an empty directory to format a new store',
  )
}

/**
 * The identity of the store on `disk`. An empty directory is formatted.
 * @throws as `requireStoreOrEmpty`
 */
export async function openIdentity(disk: Disk, random: Random): Promise<NodeIdentity> {
  try {
    return parseIdentity(await readRecord(disk, fileName))
  } catch (error) {
    if (!isTwofoldError(error, 'not-found')) throw error
  }
  await requireStoreOrEmpty(disk)
  const identity: NodeIdentity = {
    nodeId: randomHexId(random),
    incarnation: randomHexId(random),
    clusterId: undefined,
    bootNumber: 0,
    signingSeed: random.bytes(32),
  }
  await saveIdentity(disk, identity)
  return identity
}

export async function saveIdentity(disk: Disk, identity: NodeIdentity): Promise<void> {
  const content = {
    formatVersion,
    nodeId: identity.nodeId,
    incarnation: identity.incarnation,
    clusterId: identity.clusterId ?? '',
    bootNumber: identity.bootNumber,
    signingSeed: toHex(identity.signingSeed),
  }
  await writeRecord(disk, fileName, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`))
}

function parseIdentity(content: Uint8Array): NodeIdentity {
  const fields = parseFields(content)
  if (fields['formatVersion'] !== formatVersion) {
    const found = String(fields['formatVersion'])
    throw new TwofoldError(
      'unsupported',
      `${fileName} has format version ${found}, this program knows ${formatVersion}`,
    )
  }
  const text = (name: string): string => {
    const value = fields[name]
    return typeof value === 'string' ? value : ''
  }
  try {
    const signingSeed = fromHex(text('signingSeed'))
    if (signingSeed.length !== 32) throw damaged('it has no valid signing key')
    return {
      nodeId: parseNodeId(text('nodeId')),
      incarnation: parseIncarnation(text('incarnation')),
      clusterId: text('clusterId') === '' ? undefined : parseClusterId(text('clusterId')),
      // Stores of before do not have it.
      bootNumber: Number.isSafeInteger(fields['bootNumber']) ? (fields['bootNumber'] as number) : 0,
      signingSeed,
    }
  } catch (error) {
    throw isTwofoldError(error, 'invalid-argument') ? damaged(error.message) : error
  }
}

function parseFields(content: Uint8Array): Record<string, unknown> {
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(content).toString())
  } catch (error) {
    throw damaged((error as Error).message)
  }
  if (typeof fields !== 'object' || fields === null) throw damaged('it holds no fields')
  return fields as Record<string, unknown>
}

function damaged(how: string): TwofoldError {
  return new TwofoldError('integrity', `${fileName} is damaged, restore it from a copy: ${how}`)
}
