/** Between the messages of `node_admin.proto` and the plain data of `core`, as in `convert.ts`. */
import { shutdownPhases, taskKinds } from '../core/node-admin.ts'
import type { ByteShare, NodeOutlook, NodeRequest, RebalanceOutlook, ShutdownState, Task } from '../core/node-admin.ts'
import type * as wire from '../gen/twofold/v1/node_admin.ts'
import { states } from './convert.ts'

export function toNodeRequest(request: wire.DrainNodeRequest & { readonly force?: boolean }): NodeRequest {
  const { node, dryRun, force = false, actor } = request
  return { node, dryRun, force, actor }
}

export function fromOutlook(outlook: NodeOutlook): wire.NodeOutlook {
  return {
    node: outlook.node,
    state: states[outlook.state],
    changed: outlook.changed,
    packs: BigInt(outlook.packs),
    bytes: BigInt(outlook.bytes),
    targets: outlook.targets.map(fromShare),
    lastCopies: BigInt(outlook.lastCopies),
    short: BigInt(outlook.short),
    snapshots: BigInt(outlook.snapshots),
    snapshotIds: [...outlook.snapshotIds],
  }
}

function fromShare({ node, bytes }: ByteShare): wire.ByteShare {
  return { node, bytes: BigInt(bytes) }
}

export function fromRebalance({ running, bytes, from, to }: RebalanceOutlook): wire.RebalanceResponse {
  return { running, bytes: BigInt(bytes), from: from.map(fromShare), to: to.map(fromShare) }
}

export function fromShutdown({ phase, sessions, nodes, silent }: ShutdownState): wire.ShutdownState {
  const number = (shutdownPhases.indexOf(phase) + 1) as wire.ShutdownPhase
  return { phase: number, sessions, nodes: [...nodes], silent: [...silent] }
}

export function fromTask(task: Task): wire.Task {
  const { subject, running, waitsFor } = task
  return {
    kind: (taskKinds.indexOf(task.kind) + 1) as wire.TaskKind,
    subject,
    packsDone: BigInt(task.packsDone),
    packsTotal: BigInt(task.packsTotal),
    bytesDone: BigInt(task.bytesDone),
    bytesTotal: BigInt(task.bytesTotal),
    bytesPerSecond: BigInt(task.bytesPerSecond),
    running,
    waitsFor,
  }
}
