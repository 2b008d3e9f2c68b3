import { expect } from 'chai'
import type { Client } from '../../src/client/client.ts'
import type { TwofoldError } from '../../src/core/errors.ts'
import { MemorySource } from '../support/memory-source.ts'
import { recoverCatalogue } from './sim-recovery.ts'
import { SimWorld } from './sim-world.ts'

describe('simulation: an older catalogue', () => {
  /** Does something that people were told is done, and brings back the catalogue of before at the same moment. */
  async function forgets(decision: (client: Client, id: string) => Promise<void>): Promise<SimWorld> {
    const world = await SimWorld.start({ seed: 1 })
    const { scheduler } = world
    const source = new MemorySource()
    source.file('/data/f', Buffer.from('content'))
    const { snapshot } = await scheduler.run(world.backup(source))
    const { client } = world.client()
    await scheduler.run(client.forget({ ids: [snapshot!.id] }))
    await scheduler.run(client.undelete({ ids: [snapshot!.id] }))
    await scheduler.run(client.forget({ ids: [snapshot!.id] }))
    await scheduler.run(scheduler.delay(5000))
    const image = world.catalogues.image()
    await scheduler.run(client.undelete({ ids: [snapshot!.id] }))
    await scheduler.run(decision(client, snapshot!.id))
    world.crashManager()
    world.catalogues.restore(image)
    await scheduler.run(world.startManager())
    await scheduler.run(scheduler.delay(10_000))
    expect((await scheduler.run(client.status())).lineage).to.equal('rolled-back')
    await scheduler.run(recoverCatalogue(world, []))
    await scheduler.run(world.startManager())
    return world
  }

  it('is recognised by what was brought back from the trash since', async () => {
    const world = await forgets(() => Promise.resolve())
    const { summary } = await world.scheduler.run(world.restore('latest'))
    expect(summary.filesRestored).to.equal(1)
    await world.close()
  })

  it('is recognised by what was pinned since', async () => {
    const world = await forgets((client, id) => client.pin({ ids: [id as never], pinned: true }))
    const pins = async (): Promise<(string | undefined)[]> =>
      Array.fromAsync(world.client().client.snapshots(), ({ pin }) => pin)
    expect(await world.scheduler.run(pins())).to.deep.equal([''])
    await world.close()
  })

  it('is not taken for the newest by nodes that were away while another one joined', async () => {
    const world = await SimWorld.start({ seed: 1 })
    const { scheduler, network } = world
    const away = (broken: boolean): void => {
      for (const name of ['n2', 'n3']) for (const to of ['manager', 'n1', 'n4']) network.cut(name, to, broken)
    }
    const source = new MemorySource()
    source.file('/data/f', Buffer.from('content'))
    await scheduler.run(scheduler.delay(5000))
    const image = world.catalogues.image()
    away(true)
    await scheduler.run(scheduler.delay(20_000))
    await scheduler.run(world.addNode('n4'))
    await scheduler.run(world.untilUp(2))
    const refused = world.backup(source).then(
      () => 'acknowledged',
      (error: unknown) => (error as TwofoldError).code,
    )
    expect(await scheduler.run(refused)).to.equal('not-enough-nodes')
    away(false)
    await scheduler.run(world.untilUp(4))
    await scheduler.run(world.backup(source))
    world.crashManager()
    for (const name of ['n1', 'n4']) world.crashNode(name)
    world.catalogues.restore(image)
    await scheduler.run(world.startManager())
    await scheduler.run(scheduler.delay(10_000))
    expect((await scheduler.run(world.client().client.status())).lineage).to.equal('rolled-back')
    await world.close()
  })

  it('is not what a manager has that was started again before nodes recorded a commit', async () => {
    const world = await SimWorld.start({ seed: 1 })
    const { scheduler, network } = world
    await scheduler.run(scheduler.delay(5000))
    const source = new MemorySource()
    source.file('/data/f', Buffer.from('content'))
    const { client, process } = world.client()
    const logEnd = async (): Promise<number> =>
      (await world.catalogue.read((tx) => tx.log.newest()))?.sequence ?? Number.NaN
    const before = await scheduler.run(logEnd())
    const backup = client.backup({ source, paths: [Buffer.from('/data')] })
    const committed = async (): Promise<void> => {
      while (!((await logEnd()) > before)) await scheduler.delay(1)
    }
    await scheduler.run(committed())
    for (const { name } of world.nodes) network.cut(process.name, name, true)
    await scheduler.run(scheduler.delay(2000))
    world.crashManager()
    await scheduler.run(world.startManager())
    await scheduler.run(scheduler.delay(3000))
    for (const { name } of world.nodes) network.cut(process.name, name, false)
    const { snapshot } = await scheduler.run(backup)
    expect(snapshot?.id).to.have.length(64)
    await world.close()
  })
})
