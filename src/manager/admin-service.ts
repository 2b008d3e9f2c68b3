import { AdminService } from '../gen/twofold/v1/admin.ts'
import type { AdminServer } from '../gen/twofold/v1/admin.ts'
import { serverStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import * as convert from './admin-convert.ts'
import type { Admin } from './admin.ts'
import { nodeAdminCalls } from './node-admin-service.ts'
import type { NodeAdmin } from './node-admin.ts'

/** The administrative calls behind gRPC: translation and nothing else. */
export function adminService(admin: Admin, nodeAdmin: NodeAdmin): ServiceMount {
  const implementation: AdminServer = {
    ...snapshotCalls(admin),
    ...spaceCalls(admin),
    ...checkCalls(admin),
    ...nodeAdminCalls(nodeAdmin),
  }
  return { definition: AdminService, implementation }
}

type SnapshotCalls = Pick<AdminServer, 'forgetSnapshots' | 'undeleteSnapshots' | 'pinSnapshots' | 'tagSnapshots'>

function snapshotCalls(admin: Admin): SnapshotCalls {
  return {
    forgetSnapshots: unaryHandler(async (request, options) => ({
      expiresAtMs: BigInt(await admin.forgetSnapshots(convert.toForget(request), options)),
    })),
    undeleteSnapshots: unaryHandler(async (request, options) =>
      convert.fromRecorded(await admin.undeleteSnapshots(convert.toUndelete(request), options)),
    ),
    pinSnapshots: unaryHandler(async (request, options) =>
      convert.fromRecorded(await admin.pinSnapshots(convert.toPin(request), options)),
    ),
    tagSnapshots: unaryHandler(async (request, options) => {
      await admin.tagSnapshots(convert.toTag(request), options)
      return {}
    }),
  }
}

type SpaceCalls = Pick<AdminServer, 'prune' | 'getPrune' | 'beginRepack' | 'listRepackable' | 'finishRepack'>

function spaceCalls(admin: Admin): SpaceCalls {
  return {
    prune: unaryHandler(async (request, options) => ({
      state: convert.fromPruneState(await admin.prune(convert.toPrune(request), options)),
    })),
    getPrune: unaryHandler(async (_, options) => ({ state: convert.fromPruneState(await admin.getPrune(options)) })),
    beginRepack: unaryHandler(async (request, options) =>
      convert.fromRepackSession(await admin.beginRepack(request, options)),
    ),
    listRepackable: unaryHandler(async (request, options) =>
      convert.fromRepackable(await admin.listRepackable(request.vault, request, options)),
    ),
    finishRepack: unaryHandler(async (request, options) => {
      const { session, packIds } = convert.toFinishRepack(request)
      return { finishedPackIds: [...(await admin.finishRepack(session, packIds, options))] }
    }),
  }
}

function checkCalls(admin: Admin): Pick<AdminServer, 'checkCatalogue' | 'listPacks' | 'assessLoss'> {
  return {
    checkCatalogue: serverStreamHandler(async function* (_, options) {
      for await (const finding of admin.checkCatalogue(options)) yield convert.fromFinding(finding)
    }),
    listPacks: unaryHandler(async (request, options) =>
      convert.fromListedPacks(await admin.listPacks(request, options)),
    ),
    assessLoss: serverStreamHandler(async function* ({ packIds }) {
      for await (const part of admin.assessLoss(convert.toPackIds(packIds))) yield convert.fromLoss(part)
    }),
  }
}
