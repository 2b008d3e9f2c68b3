import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runProgram } from '../../src/cli/program.ts'
import { systemRandom } from '../../src/system/random.ts'
import { WireCluster, until } from '../support/wire-cluster.ts'
import { captureTerminal, surroundingsOf } from '../unit/cli/fake-cli.ts'

describe('forget and prune on the command line', function () {
  let cluster: WireCluster
  let source: string

  beforeEach(async () => {
    cluster = await WireCluster.start({ nodes: ['n1', 'n2', 'n3'] })
    source = join(cluster.directory, 'source')
    mkdirSync(source)
  })

  afterEach(async () => {
    await cluster.stop()
  })

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const { terminal, out, err } = captureTerminal()
    const code = await runProgram([...args, '--manager', cluster.managerAddress], surroundingsOf(terminal))
    return { code, out: out(), err: err() }
  }

  async function json<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await run(...args, '--json')
    expect(code, err).to.equal(0)
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T
  }

  async function backup(): Promise<string> {
    return (await json<{ snapshot_id: string }>('backup', source)).snapshot_id
  }

  it('does what a person expects of it, and gives the space back', async () => {
    for (let n = 0; n < 10; n++) writeFileSync(join(source, `f${n}`), systemRandom.bytes(300_000))
    const first = await backup()
    for (let n = 0; n < 8; n++) rmSync(join(source, `f${n}`))
    const second = await backup()

    const dry = await json<{ keep: unknown[]; remove: { id: string }[] }[]>('forget', '--keep-last', '1', '--dry-run')
    expect(dry.map(({ keep, remove }) => [keep.length, remove.map(({ id }) => id)])).to.deep.equal([[1, [first]]])
    expect((await json<unknown[]>('snapshots')).length).to.equal(2)

    expect((await run('pin', first, '--reason', 'audit')).code).to.equal(0)
    const refused = await run('forget', first)
    expect(refused.code).to.equal(13)
    expect(refused.err).to.contain(first.slice(0, 8)).and.to.contain('audit')
    expect((await run('unpin', first)).code).to.equal(0)

    expect((await run('forget', first)).out).to.contain('forgot 1 snapshot')
    expect((await run('snapshots', '--trash')).out)
      .to.contain(first.slice(0, 8))
      .and.to.contain('6 days')
    expect((await run('undelete', first)).out).to.contain('brought back 1 snapshot')

    const guarded = await run('forget', '--keep-tag', 'none-has-it')
    expect(guarded.code).to.equal(13)
    expect(guarded.err).to.contain('--allow-all')

    const unasked = await run('forget', first, '--now')
    expect(unasked.code).to.equal(13)
    expect((await run('forget', first, '--now', '--yes')).code).to.equal(0)
    const before = (await json<{ stored_bytes: number }>('status')).stored_bytes
    const summary = await json<{ bytes_deleted: number; packs_moved: number }>('prune')
    expect(summary.packs_moved).to.be.greaterThan(0)
    const after = (await json<{ stored_bytes: number }>('status')).stored_bytes
    expect(after).to.be.lessThan(before / 2)
    await until(async () => {
      const nodes = await json<{ used: number }[]>('nodes')
      return nodes.reduce((sum, node) => sum + node.used, 0) === 2 * after
    })
    const target = join(cluster.directory, 'restored')
    expect((await run('restore', second, '--target', target)).code).to.equal(0)
  })

  it('shows what a policy would keep', async () => {
    const { code, out } = await run('forget', '--keep-daily', '3', '--keep-weekly', '2', '--simulate', '30')
    expect(code).to.equal(0)
    expect(out).to.contain('if backups go on').and.to.contain('daily snapshot')
    expect((await run('forget')).code).to.equal(1)
  })
})
