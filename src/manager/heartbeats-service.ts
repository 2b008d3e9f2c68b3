import type { Heartbeat, HeartbeatReply } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type { HeartbeatRequest, HeartbeatResponse, ManagerServer } from '../gen/twofold/v1/manager.ts'
import { exchangeHandler, unaryHandler } from '../rpc/handlers.ts'
import { required } from './convert.ts'
import { fromHeartbeatReply, toHeartbeat } from './node-convert.ts'

/** The two ways in which heartbeats come: a call for each, and a stream that stays open. */
export function heartbeatCalls(
  take: (heartbeat: Heartbeat, options: CallOptions) => Promise<HeartbeatReply>,
): Pick<ManagerServer, 'heartbeat' | 'heartbeats'> {
  const answer = async (request: HeartbeatRequest, options: CallOptions): Promise<HeartbeatResponse> =>
    fromHeartbeatReply(await take(toHeartbeat(request), options))
  return {
    heartbeat: unaryHandler(answer),
    heartbeats: exchangeHandler(async ({ heartbeat }, options) => ({
      heartbeat: await answer(required(heartbeat, 'heartbeat'), options),
    })),
  }
}
