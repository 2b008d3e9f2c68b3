import type { Client } from '../../src/client/client.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { NodeId } from '../../src/core/ids.ts'
import type { Oracle } from './oracle.ts'
import { recoverCatalogue } from './sim-recovery.ts'
import type { SimWorld } from './sim-world.ts'

export interface OperatorDeps {
  readonly world: SimWorld
  readonly oracle: Oracle
  readonly fail: (error: unknown) => void
}

const lookEveryMs = 2000
/** How often a recovery waits in vain for a node whose disk is lost before it goes on without it. */
const patience = 1
/** How many looks long packs may be unknown before the catalogue is made again, though it seems to be the newest. */
const patienceLooks = 15

/** Who looks after the cluster: takes out nodes whose disks are lost, and brings back a catalogue that was lost. */
export class Operator {
  readonly #deps: OperatorDeps
  readonly #gone = new Map<NodeId, string>()
  #inVain = 0
  /** Whether the catalogue was ever an older one. */
  #wasOlder = false
  /** For how many looks nodes have had packs that the catalogue does not know. */
  #unknown = 0

  constructor(deps: OperatorDeps) {
    this.#deps = deps
  }

  /** The disk of this node is about to be replaced by an empty one. */
  async gone(name: string): Promise<void> {
    const { world } = this.#deps
    const nodes = await world.catalogue.read((tx) => tx.nodes.all())
    const row = nodes.find(({ ref, admin }) => ref.name === name && admin !== 'removed')
    if (row !== undefined) this.#gone.set(row.ref.nodeId, name)
    // A request to register may arrive after the store that it is for has gone.
    const nodeId = nodeIdIn(world.node(name).disk.content('node.json', 'seen'))
    if (nodeId !== undefined) this.#gone.set(nodeId, name)
  }

  /** Whether the name of this node may become free at any moment, for whatever store comes first. */
  wasLost(name: string): boolean {
    return [...this.#gone.values()].includes(name)
  }

  async run(): Promise<void> {
    const { world, fail } = this.#deps
    for (;;) {
      await world.scheduler.delay(lookEveryMs)
      try {
        await this.#look(world.client().client)
      } catch (error) {
        if (!isTwofoldError(error, 'unavailable', 'deadline-exceeded', 'failed-precondition')) return fail(error)
      }
    }
  }

  async #look(client: Client): Promise<void> {
    const { oracle } = this.#deps
    this.#wasOlder ||= oracle.inDoubt
    if (!this.#wasOlder && this.#gone.size === 0) return
    const { losses } = oracle
    const { nodes, lineage, safeMode, packsUnknown } = await client.status()
    if (losses !== oracle.losses) return
    // Uploads that the newer catalogue allowed ended when the older one was in its place already; or the only node that
    // knows something newer, of which nobody was told, was away until now.
    this.#unknown = packsUnknown > 0 ? this.#unknown + 1 : 0
    const older = lineage === 'rolled-back' || this.#unknown > patienceLooks
    if (!oracle.inDoubt && older) await oracle.losingCatalogue()
    // A catalogue that does not know packs is an older one, though nothing that counts may be missing from it.
    if (oracle.inDoubt && (lineage === 'rolled-back' || (lineage === 'verified' && packsUnknown > 0))) {
      return this.#recover()
    }
    if (oracle.inDoubt && lineage === 'verified' && !safeMode) await oracle.catalogueSettled()
    for (const { node, state } of nodes) {
      if (state !== 'removed' && this.#gone.has(node.nodeId)) await client.removeNode(node.nodeId)
    }
  }

  async #recover(): Promise<void> {
    const { world, oracle } = this.#deps
    const without = this.#inVain < patience ? [] : [...this.#gone.values()]
    try {
      await recoverCatalogue(world, without)
    } catch (error) {
      if (isTwofoldError(error, 'deadline-exceeded')) this.#inVain += 1
      throw error
    } finally {
      if (world.manager.dead) void world.startManager()
    }
    this.#inVain = 0
    await oracle.catalogueSettled()
  }
}

/** Whose store it is, as its `node.json` says. */
export function nodeIdIn(identity: Uint8Array | undefined): NodeId | undefined {
  const [, nodeId] = /"nodeId": "([0-9a-f]+)"/.exec(Buffer.from(identity ?? []).toString()) ?? []
  return nodeId as NodeId | undefined
}
