import { TwofoldError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import { randomHexId } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { createThreadPoolCodec } from '../format/codec.ts'
import type { Compression } from '../format/codec.ts'
import { formatAddress, parseAddress } from '../rpc/address.ts'
import { logCalls } from '../rpc/call-log.ts'
import { ChannelPool } from '../rpc/channel.ts'
import { AdminRemote } from './admin-remote.ts'
import { AgentsRemote } from './agents-remote.ts'
import { Client } from './client.ts'
import { ManagerRemote } from './manager-remote.ts'
import { NodeAdminRemote } from './node-admin-remote.ts'
import { SchedulesRemote } from './schedules-remote.ts'
import { StorageRemote } from './storage-remote.ts'
import { throttled } from './throttled-storage.ts'

export interface ConnectOptions {
  /** `host:port` of each manager; the first one that answers is used. */
  readonly managers: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Whether every call is logged, too. */
  readonly logsCalls?: boolean | undefined
  /** For the manifests of what is backed up. */
  readonly hostName: string
  readonly userName: string
  /** Name and version of the program, for manifests. */
  readonly program?: string | undefined
  /** How hard what is stored is compressed; `auto` unless given. */
  readonly compression?: Compression | undefined
  /** How fast packs are sent and read at most, in bytes a second; 0, as when left out, means as fast as it goes. */
  readonly uploadBytesPerSecondMax?: number | undefined
  readonly downloadBytesPerSecondMax?: number | undefined
}

/** @throws TwofoldError as `connectClient` */
export function createClient(options: ConnectOptions): Client {
  const { managers, clock, random, logger, hostName, userName, program = 'twofold' } = options
  const addresses = managers.map((address) => formatAddress(parseAddress(address.trim())))
  if (addresses.length === 0) {
    throw new TwofoldError('invalid-argument', 'where is the manager? Set --manager or TWOFOLD_MANAGER to host:port')
  }
  const interceptors = options.logsCalls === true ? [logCalls(logger, clock)] : []
  const control = new ChannelPool({ bulk: false, program, interceptors })
  const bulk = new ChannelPool({ bulk: true, program, interceptors })
  return new Client({
    manager: new ManagerRemote(control, addresses),
    admin: new AdminRemote(control, addresses),
    nodeAdmin: new NodeAdminRemote(control, addresses),
    schedules: new SchedulesRemote(control, addresses),
    agents: new AgentsRemote(control, addresses),
    storage: throttled(new StorageRemote(bulk), options),
    codec: createThreadPoolCodec(options.compression ?? 'auto'),
    clientId: randomHexId(random),
    clock,
    random,
    logger,
    hostName,
    userName,
    program,
    close: () => {
      control.close()
      bulk.close()
    },
  })
}
