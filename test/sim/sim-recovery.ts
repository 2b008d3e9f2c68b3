import { TwofoldError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Manager } from '../../src/manager/manager.ts'
import { Recovery } from '../../src/manager/recovery/recovery.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimNode, SimWorld } from './sim-world.ts'

const pollMs = 200
const patienceMs = 20_000

/**
 * Makes the catalogue again from the nodes, as `manager recover --from-nodes` does; it is then the one in use, and no
 * manager runs.
 * @throws TwofoldError `deadline-exceeded` when not all nodes report in time, `unavailable` when it is killed
 */
export async function recoverCatalogue(world: SimWorld, without: readonly string[]): Promise<void> {
  const process = world.replaceManager()
  world.note(`recovery without ${without.join()}`)
  const { promise: killed, reject } = Promise.withResolvers<never>()
  killed.catch(() => undefined)
  const forget = process.onDeath(() => reject(new TwofoldError('unavailable', 'the recovery was killed')))
  const { catalogue, use } = world.catalogues.fresh()
  try {
    await Promise.race([work(world, process, { catalogue, without }), killed])
    use()
  } catch (error) {
    await catalogue.close()
    throw error
  } finally {
    forget()
    process.kill()
  }
}

interface Work {
  readonly catalogue: SimWorld['catalogue']
  readonly without: readonly string[]
}

async function work(world: SimWorld, process: SimProcess, { catalogue, without }: Work): Promise<void> {
  const ports = { clock: process.clock(), random: world.random(`recovery ${world.trace.count}`), logger: silentLogger }
  const recovery = await Recovery.open({ ...ports, catalogue, older: world.catalogue, without })
  let open = true
  world.network.serveManager({ process, api: answering(recovery, () => open) })
  const expected = world.nodes.filter(isMember).map(({ name }) => name)
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if (recovery.ready && expected.every((name) => recovery.reported.includes(name))) break
    if (waitedMs >= patienceMs) throw new TwofoldError('deadline-exceeded', `waiting for ${recovery.missing.join()}`)
    await ports.clock.sleep(pollMs)
  }
  open = false
  const summary = await recovery.finish()
  world.note(`recovered ${summary.snapshots} snapshots, ${summary.packs} packs`)
}

/** Whether the store on its disk was ever registered. */
function isMember({ disk }: SimNode): boolean {
  const identity = disk.content('node.json', 'durable')
  return identity !== undefined && /"clusterId": "[0-9a-f]/.test(Buffer.from(identity).toString())
}

/** A recovery as its callers see it: for nodes a manager, for all others nobody yet. */
function answering(recovery: Recovery, open: () => boolean): Manager {
  const refuse = async (): Promise<never> => {
    throw new TwofoldError('unavailable', 'the catalogue is being recovered from the nodes', { retryAfterMs: 2000 })
  }
  const answers: Partial<Record<string | symbol, unknown>> = {
    register: (request: Parameters<Recovery['register']>[0]) => (open() ? recovery.register(request) : refuse()),
    heartbeat: (heartbeat: Parameters<Recovery['heartbeat']>[0]) => (open() ? recovery.heartbeat(heartbeat) : refuse()),
    reportRecords: (report: Parameters<Recovery['reportRecords']>[0]) =>
      open() ? recovery.reportRecords(report) : refuse(),
  }
  const role = new Proxy({}, { get: () => refuse })
  return new Proxy(answers, {
    get: (target, name) => (name === 'admin' || name === 'nodeAdmin' ? role : (target[name] ?? refuse)),
  }) as unknown as Manager
}
