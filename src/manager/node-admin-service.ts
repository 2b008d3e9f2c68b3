import type { AdminServer } from '../gen/twofold/v1/admin.ts'
import { unaryHandler } from '../rpc/handlers.ts'
import * as convert from './node-admin-convert.ts'
import type { NodeAdmin } from './node-admin.ts'

type NodeCalls = 'drainNode' | 'resumeNode' | 'removeNode' | 'rebalance' | 'listTasks'
type NodeAdminCalls = Pick<AdminServer, NodeCalls | 'shutdown' | 'getShutdown'>

/** The calls of `Admin` about nodes behind gRPC: translation and nothing else. */
export function nodeAdminCalls(nodes: NodeAdmin): NodeAdminCalls {
  return {
    drainNode: unaryHandler(async (request, options) => ({
      outlook: convert.fromOutlook(await nodes.drainNode(convert.toNodeRequest(request), options)),
    })),
    resumeNode: unaryHandler(async (request, options) => ({
      outlook: convert.fromOutlook(await nodes.resumeNode(convert.toNodeRequest(request), options)),
    })),
    removeNode: unaryHandler(async (request, options) => ({
      outlook: convert.fromOutlook(await nodes.removeNode(convert.toNodeRequest(request), options)),
    })),
    rebalance: unaryHandler(async (request, options) => convert.fromRebalance(await nodes.rebalance(request, options))),
    shutdown: unaryHandler(async (request, options) => ({
      state: convert.fromShutdown(await nodes.shutDown(request, options)),
    })),
    getShutdown: unaryHandler(async (_, options) => ({
      state: convert.fromShutdown(await nodes.getShutdown(options)),
    })),
    listTasks: unaryHandler(async (_, options) => ({
      tasks: (await nodes.listTasks(options)).map(convert.fromTask),
    })),
  }
}
