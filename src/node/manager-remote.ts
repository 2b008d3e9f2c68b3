import {
  commitBatchBytes,
  commitDeadlineMs,
  heartbeatDeadlineMs,
  inventoryBatchPacksMax,
  unaryDeadlineMs,
} from '../core/limits.ts'
import { isTwofoldError } from '../core/errors.ts'
import { ManagerClient, ManagerService } from '../gen/twofold/v1/manager.ts'
import { callClientStream, callServerStream, callUnary } from '../rpc/calls.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { Exchange } from '../rpc/exchange.ts'
import {
  fromCommitPack,
  fromHeartbeat,
  fromInventory,
  fromRecords,
  fromRegister,
  toHeartbeatReply,
  toReplacement,
  toRegistration,
  toStreamedReply,
} from './convert.ts'
import type { ManagerApi } from './manager-api.ts'

/** The manager over gRPC. Of several addresses the one that answered last is asked first. */
export function remoteManager(pool: ChannelPool, addresses: readonly string[]): ManagerApi {
  let current = 0
  const heartbeats = new Exchange({ method: ManagerService.heartbeats, deadlineMs: heartbeatDeadlineMs })
  const ask = async <T>(call: (client: ManagerClient) => Promise<T>): Promise<T> => {
    const client = pool.client(ManagerClient, addresses[current] ?? '')
    try {
      return await call(client)
    } catch (error) {
      if (isTwofoldError(error, 'unavailable')) current = (current + 1) % addresses.length
      throw error
    }
  }
  return {
    register: (request, { signal } = {}) =>
      ask(async (client) => {
        const options = { signal, deadlineMs: unaryDeadlineMs }
        return toRegistration(await callUnary(client, ManagerService.register, fromRegister(request), options))
      }),
    heartbeat: (request, { signal } = {}) =>
      ask(async (client) => {
        const heartbeat = fromHeartbeat(request)
        try {
          return toStreamedReply(await heartbeats.ask(client, { heartbeat }, signal))
        } catch (error) {
          if (!isTwofoldError(error, 'unsupported')) throw error
        }
        // A manager of a version in which each heartbeat was a call.
        const options = { signal, deadlineMs: heartbeatDeadlineMs }
        return toHeartbeatReply(await callUnary(client, ManagerService.heartbeat, heartbeat, options))
      }),
    reportInventory: (report, { signal } = {}) =>
      ask(async (client) => {
        const messages = fromInventory(report, inventoryBatchPacksMax)
        const options = { signal, answerMs: commitDeadlineMs }
        await callClientStream(client, ManagerService.reportInventory, messages, options)
      }),
    reportRecords: (report, { signal } = {}) =>
      ask(async (client) => {
        const options = { signal, answerMs: commitDeadlineMs }
        await callClientStream(client, ManagerService.reportRecords, fromRecords(report), options)
      }),
    readCatalogueBackup: async function* (name, { signal } = {}) {
      const client = pool.client(ManagerClient, addresses[current] ?? '')
      for await (const { data } of callServerStream(client, ManagerService.readCatalogueBackup, { name }, { signal })) {
        yield data
      }
    },
    commitPack: (request, { signal } = {}) =>
      ask(async (client) => {
        const messages = fromCommitPack(request, commitBatchBytes)
        await callClientStream(client, ManagerService.commitPack, messages, { signal, answerMs: commitDeadlineMs })
      }),
    replaceReplica: (request, { signal } = {}) =>
      ask(async (client) => {
        const options = { signal, deadlineMs: unaryDeadlineMs }
        const answer = await callUnary(client, ManagerService.replaceReplica, request, options)
        return toReplacement(answer)
      }),
  }
}
