import { TwofoldError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import { randomHexId } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { threadPoolCodec } from '../format/codec.ts'
import { formatAddress, parseAddress } from '../rpc/address.ts'
import { ChannelPool } from '../rpc/channel.ts'
import { AdminRemote } from './admin-remote.ts'
import { Client } from './client.ts'
import { ManagerRemote } from './manager-remote.ts'
import { NodeAdminRemote } from './node-admin-remote.ts'
import { StorageRemote } from './storage-remote.ts'

export interface ConnectOptions {
  /** `host:port` of each manager; the first one that answers is used. */
  readonly managers: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** For the manifests of what is backed up. */
  readonly hostName: string
  readonly userName: string
  /** Name and version of the program, for manifests. */
  readonly program?: string | undefined
}

/** @throws TwofoldError as `connectClient` */
export function createClient(options: ConnectOptions): Client {
  const { managers, clock, random, logger, hostName, userName, program = 'twofold' } = options
  const addresses = managers.map((address) => formatAddress(parseAddress(address.trim())))
  if (addresses.length === 0) {
    throw new TwofoldError('invalid-argument', 'where is the manager? Set --manager or TWOFOLD_MANAGER to host:port')
  }
  const control = new ChannelPool({ bulk: false, program })
  const bulk = new ChannelPool({ bulk: true, program })
  return new Client({
    manager: new ManagerRemote(control, addresses),
    admin: new AdminRemote(control, addresses),
    nodeAdmin: new NodeAdminRemote(control, addresses),
    storage: new StorageRemote(bulk),
    codec: threadPoolCodec,
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
