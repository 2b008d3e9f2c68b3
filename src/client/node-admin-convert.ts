/** Between the messages of `node_admin.proto` and the plain data of `core`, in the directions that a client needs. */
import { shutdownPhases, taskKinds } from '../core/node-admin.ts'
import type { ByteShare, NodeOutlook, RebalanceOutlook, ShutdownState, Task } from '../core/node-admin.ts'
import type * as wire from '../gen/twofold/v1/node_admin.ts'
import { required, toNodeState, toNumber } from './convert.ts'

export function toOutlook(message: wire.NodeOutlook | undefined): NodeOutlook {
  const outlook = required(message, 'outlook')
  return {
    node: outlook.node,
    state: toNodeState(outlook.state),
    changed: outlook.changed,
    packs: toNumber(outlook.packs),
    bytes: toNumber(outlook.bytes),
    targets: outlook.targets.map(toShare),
    lastCopies: toNumber(outlook.lastCopies),
    short: toNumber(outlook.short),
    snapshots: toNumber(outlook.snapshots),
    snapshotIds: outlook.snapshotIds,
  }
}

function toShare({ node, bytes }: wire.ByteShare): ByteShare {
  return { node, bytes: toNumber(bytes) }
}

export function toRebalance({ running, bytes, from, to }: wire.RebalanceResponse): RebalanceOutlook {
  return { running, bytes: toNumber(bytes), from: from.map(toShare), to: to.map(toShare) }
}

export function toShutdown(message: wire.ShutdownState | undefined): ShutdownState {
  const { phase, sessions, nodes, silent } = required(message, 'state')
  return { phase: required(shutdownPhases[phase - 1], 'phase of the shutdown'), sessions, nodes, silent }
}

export function toTask(task: wire.Task): Task {
  const { subject, running, waitsFor } = task
  return {
    kind: required(taskKinds[task.kind - 1], 'kind of a task'),
    subject,
    packsDone: toNumber(task.packsDone),
    packsTotal: toNumber(task.packsTotal),
    bytesDone: toNumber(task.bytesDone),
    bytesTotal: toNumber(task.bytesTotal),
    bytesPerSecond: toNumber(task.bytesPerSecond),
    running,
    waitsFor,
  }
}
