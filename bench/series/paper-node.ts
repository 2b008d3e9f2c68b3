import { hash } from 'node:crypto'
import type { Incarnation, NodeId } from '../../src/core/ids.ts'
import type { Heartbeat, HeartbeatReply, RegisterRequest } from '../../src/core/messages.ts'
import type { LogEntry, LogPosition, NodeRef, Receipt, Ticket } from '../../src/core/model.ts'
import { createSigner } from '../../src/format/signing.ts'
import type { Signer } from '../../src/format/signing.ts'
import { readTicketUnchecked, signReceipt } from '../../src/format/tickets.ts'

const capacityBytes = 1e15
const digest = new Uint8Array(32)

const hexOf = (text: string): string => hash('sha256', text).slice(0, 32)

/** A storage node that keeps nothing: it registers, reports and signs. The same number is always the same node. */
export class PaperNode {
  readonly ref: NodeRef
  readonly #signer: Signer
  readonly #bootId: string
  #putSequence: number
  #sequence = 0
  #newest: Pick<LogEntry, 'sequence' | 'hash'> | undefined
  #witnessed: LogPosition | undefined

  /** @param boot what tells this process of the node from earlier ones; their puts count as far as `putSequence` */
  constructor(number: number, boot: string, putSequence = 0) {
    const name = `paper${number}`
    this.ref = {
      nodeId: hexOf(`node ${number}`) as NodeId,
      incarnation: hexOf(`incarnation ${number}`) as Incarnation,
      name,
      address: `127.0.0.1:${10_000 + number}`,
      failureDomain: '',
    }
    this.#signer = createSigner(hash('sha256', `key ${number}`, 'buffer'))
    this.#bootId = hexOf(`boot ${number} ${boot}`)
    this.#putSequence = putSequence
  }

  registration(): RegisterRequest {
    return {
      node: this.ref,
      bootId: this.#bootId,
      capacityBytes,
      usedBytes: 0,
      publicKey: this.#signer.publicKey,
      putSequence: this.#putSequence,
      clusterId: undefined,
      programVersion: 'paper',
    }
  }

  /** @param registrationNumber as the manager gave it */
  heartbeat(registrationNumber: number): Heartbeat {
    this.#sequence += 1
    return {
      nodeId: this.ref.nodeId,
      incarnation: this.ref.incarnation,
      registrationNumber,
      bootId: this.#bootId,
      sequence: this.#sequence,
      capacityBytes,
      usedBytes: 0,
      freeBytes: capacityBytes,
      packs: 1000,
      putSequence: this.#putSequence,
      inventoryDigest: digest,
      uploads: 0,
      writable: true,
      problem: '',
      results: [],
      damaged: [],
      proven: [],
      storeFailed: false,
      log: this.#logPosition(),
      witnessed: this.#witnessed,
    }
  }

  #logPosition(): LogPosition | undefined {
    if (this.#newest === undefined || this.#witnessed === undefined) return undefined
    const { epoch, life } = this.#witnessed
    const { sequence, hash } = this.#newest
    return { epoch, life, sequence, hash }
  }

  /** Takes in what the manager answered: from then on it is sent only what is newer. */
  follow({ logHead, logEntries = [] }: HeartbeatReply): void {
    this.#newest = logEntries.at(-1) ?? this.#newest
    this.#witnessed = logHead ?? this.#witnessed
  }

  /** Its word that it holds a pack. */
  receipt(ticket: Ticket, nowMs: number): Receipt {
    const { packId, sessionId, lengthBytesMax } = readTicketUnchecked(ticket)
    const { nodeId, incarnation } = this.ref
    const putSequence = (this.#putSequence += 1)
    const claims = { packId, sessionId, nodeId, incarnation, putSequence, digest, durableAtMs: nowMs }
    return signReceipt({ ...claims, lengthBytes: lengthBytesMax }, this.#signer)
  }
}
