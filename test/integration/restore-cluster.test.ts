import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLogger } from '../../src/core/logger.ts'
import { SourceDisk, TargetDisk } from '../../src/client/index.ts'
import { createClient } from '../../src/client/main.ts'
import type { Client, ProgressEvent, RestoreSummary } from '../../src/client/index.ts'
import { startManager } from '../../src/manager/main.ts'
import { startNode } from '../../src/node/main.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { expectError } from '../support/expect-error.ts'
import { collect, joined } from '../support/restore-bench.ts'

interface Started {
  readonly name: string
  readonly address: string
  stop(): Promise<void>
}

const listen = '127.0.0.1:0'
const logger = silentLogger

describe('a client of a real cluster', function () {
  let base: string
  let source: string
  let manager: { address: string; stop(): Promise<void> }
  let nodes: Started[]
  let client: Client

  const connect = (...managers: string[]): Client => {
    return createClient({ managers, clock: systemClock, random: systemRandom, logger, hostName: 'h', userName: 'u' })
  }

  beforeEach(async () => {
    base = fs.mkdtempSync(join(tmpdir(), 'twofold-cluster-'))
    source = join(base, 'source')
    manager = await startManager({ dataDirectory: join(base, 'manager'), listen, logger })
    nodes = []
    for (const name of ['n1', 'n2', 'n3']) {
      const dataDirectory = join(base, name)
      const managers = [manager.address]
      const node = await startNode({ dataDirectory, listen, name, capacityBytes: 1e9, managers, logger })
      nodes.push({ name, address: node.address, stop: () => node.stop() })
    }
    client = connect(manager.address)
    fs.mkdirSync(join(source, 'deep'), { recursive: true })
    for (let index = 0; index < 40; index++) {
      fs.writeFileSync(join(source, 'deep', `f${index}`), systemRandom.bytes(index * 40_000))
    }
    await client.backup({ source: new SourceDisk(systemClock), paths: [Buffer.from(source)] })
  })

  afterEach(async () => {
    client.close()
    for (const node of nodes) await node.stop()
    await manager.stop()
    execFileSync('rm', ['-rf', base])
  })

  const restore = async (into: string, onEvent?: (event: ProgressEvent) => void): Promise<RestoreSummary> => {
    const target = new TargetDisk(join(base, into), { random: systemRandom, clock: systemClock })
    const summary = await client.restore({ reference: `latest:${source}`, target }, { onEvent })
    execFileSync('diff', ['-r', source, join(base, into)])
    return summary
  }

  it('restores, and does so without any one of the nodes', async () => {
    expect(await restore('whole')).to.include({ filesRestored: 40, problems: 0 })
    const victim = nodes.shift()
    await victim?.stop()
    expect(await restore('without')).to.include({ filesRestored: 40, problems: 0 })
  })

  it('restores from the good copy when a pack was changed on the disk of a node', async () => {
    const packs = join(base, 'n1', 'packs')
    const files = fs.readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pack'))
    for (const name of files) {
      const bytes = fs.readFileSync(join(packs, name))
      for (let at = 1000; at < bytes.length; at += 100_000) bytes[at]! ^= 0xff
      fs.writeFileSync(join(packs, name), bytes)
    }
    const notes: string[] = []
    // Every pack is read from both of its nodes, so that the damaged copies are met for sure.
    for (const into of ['one', 'two', 'three', 'four']) {
      const summary = await restore(into, (event) => event.type === 'note' && notes.push(event.message))
      expect(summary).to.include({ filesRestored: 40, problems: 0 })
    }
    if (files.length > 0) expect(notes.join()).to.contain('is damaged on n1')
  })

  it('answers every question that a command asks', async () => {
    const [snapshot] = await collect(client.snapshots())
    expect(snapshot?.manifest.paths.map((path) => Buffer.from(path).toString())).to.deep.equal([source])
    expect(snapshot?.durability.copies).to.equal(2)
    expect((await client.resolve(snapshot?.shortId ?? '')).id).to.equal(snapshot?.id)
    const packs = await collect(client.snapshotPacks(snapshot!.id))
    expect(packs.map(({ copies }) => copies.length)).to.deep.equal(packs.map(() => 2))
    expect((await client.nodes()).map(({ node, state }) => [node.name, state])).to.deep.equal([
      ['n1', 'up'],
      ['n2', 'up'],
      ['n3', 'up'],
    ])
    expect(await client.status()).to.include({ snapshots: 1, packs: packs.length, sessionsOpen: 0 })
    expect((await collect(client.history({ kind: 'backup' }))).map(({ result }) => result)).to.deep.equal(['ok'])
    expect(await collect(client.history({ limit: 1 }))).to.have.length(1)
    expect(await client.stats('latest')).to.include({ files: 40, packs: packs.length })
    const { content } = await client.dump('latest', Buffer.from(join(source, 'deep/f9')))
    expect((await joined(content)).equals(fs.readFileSync(join(source, 'deep/f9')))).to.equal(true)
    await expectError(client.resolve('0000'), 'not-found')
    await expectError(client.resolve('latest', { host: 'other' }), 'not-found')
  })

  it('keeps named files', async () => {
    const content = systemRandom.bytes(3_000_000)
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield content
    }
    const put = await client.putFile({ name: 'a/b', requestId: 'r1' }, stream())
    expect(put).to.include({ version: 1, lengthBytes: 3_000_000, copies: 2, deleted: false })
    const got = await client.getFile({ name: 'a/b' })
    expect((await joined(got.content)).equals(content)).to.equal(true)
    expect((await client.listFiles({ prefix: 'a/' })).items.map(({ name }) => name)).to.deep.equal(['a/b'])
    expect((await client.deleteFile({ name: 'a/b' })).version).to.equal(2)
    expect((await client.fileHistory({ name: 'a/b' })).items).to.have.length(2)
  })

  it('goes on to the next manager, and says in one line when there is none', async () => {
    const several = connect('127.0.0.1:1', manager.address)
    expect((await several.status()).snapshots).to.equal(1)
    several.close()
    const nowhere = connect('127.0.0.1:1', '127.0.0.1:2')
    const error = await expectError(nowhere.status(), 'unavailable')
    nowhere.close()
    expect(error.message).to.match(
      /^cannot reach the manager at 127.0.0.1:1, 127.0.0.1:2; is it running\?.*TWOFOLD_MANAGER/,
    )
    expect(() => connect('no address')).to.throw(/host:port/)
    expect(() => connect()).to.throw(/--manager/)
  })
})
