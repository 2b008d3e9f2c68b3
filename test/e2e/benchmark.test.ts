import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Cluster, launcher, parseLines } from '../../bench/cluster.ts'

interface Figure {
  readonly bytes: number
  readonly seconds: number
  readonly bytes_per_second: number
}

interface RoundTrip {
  readonly calls: number
  readonly median_ms: number
  readonly p99_ms: number
}

interface Benchmark {
  readonly message_type: string
  readonly complete: boolean
  readonly local: Readonly<Record<string, Figure>>
  readonly cluster: null | {
    readonly manager: { readonly round_trip: RoundTrip }
    readonly nodes: readonly {
      readonly name: string
      readonly round_trip: RoundTrip | null
      readonly send: Figure | null
      readonly receive: Figure | null
      readonly problem: string
    }[]
    readonly pipeline: Figure & { readonly packs: number; readonly copies: number; readonly problem: string }
  }
  readonly limits: readonly { readonly content: string; readonly limited_by: string }[]
}

const quick = ['--seconds', '0.1', '--size', '4MB']
const localFigures = ['disk_write', 'disk_read', 'hash', 'chunk', 'compress_text', 'compress_random']

function expectFigure(figure: Figure | null | undefined, what: string): void {
  expect(figure, what).to.include.keys('bytes', 'seconds', 'bytes_per_second')
  for (const part of ['bytes', 'seconds', 'bytes_per_second'] as const) expect(figure?.[part], what).to.be.above(0)
}

function expectRoundTrip(trip: RoundTrip | null, what: string): void {
  expect(trip?.calls, what).to.be.above(0)
  expect(trip?.median_ms, what).to.be.above(0)
  expect(trip?.p99_ms, what).to.be.at.least(trip?.median_ms ?? Infinity)
}

describe('the benchmark of a cluster', function () {
  let cluster: Cluster
  let directory: string

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-benchmark-test-'))
    cluster = await Cluster.start()
  })
  after(async () => {
    await cluster.stop()
    rmSync(directory, { recursive: true })
  })

  async function measure(...options: readonly string[]): Promise<Benchmark> {
    const lines = await cluster.json<Benchmark>(['benchmark', ...quick, '--directory', directory, ...options])
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include({ message_type: 'benchmark' })
    return lines[0] as Benchmark
  }

  /** The files of packs on all nodes. */
  function packFiles(): string[] {
    return cluster.nodeNames
      .flatMap((name) => ['incoming', 'packs'].map((folder) => join(cluster.dataDirectory(name), folder)))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
  }

  async function expectNothingLeft(): Promise<void> {
    expect(readdirSync(directory)).to.deep.equal([])
    await cluster.waitFor('the packs to be removed', async () => packFiles().length === 0)
    const [status] = await cluster.json(['status'])
    expect(status).to.include({ packs: 0, chunks: 0, snapshots: 0, stored_bytes: 0, sessions_open: 0 })
  }

  it('has figures of everything, and leaves nothing', async () => {
    const { complete, local, cluster: figures, limits } = await measure()
    expect(complete).to.equal(true)
    expect(local).to.have.all.keys(localFigures)
    for (const name of localFigures) expectFigure(local[name], name)
    expect(figures?.nodes.map(({ name }) => name)).to.have.members(['n1', 'n2', 'n3'])
    for (const { name, round_trip, send, receive, problem } of figures?.nodes ?? []) {
      expect(problem).to.equal('')
      expectRoundTrip(round_trip, name)
      expectFigure(send, name)
      expectFigure(receive, name)
    }
    expectFigure(figures?.pipeline, 'the pipeline')
    expect(figures?.pipeline).to.include({ copies: 2, problem: '' })
    expect(limits.map(({ content }) => content)).to.deep.equal(['incompressible', 'compressible'])
    await expectNothingLeft()
  })

  it('is a table for people', async () => {
    const { code, stdout } = await cluster.run(['benchmark', ...quick, '--directory', directory])
    expect(code).to.equal(0)
    for (const row of ['disk, write', 'n1, round trip', 'n2, send', 'n3, receive', 'pipeline']) {
      expect(stdout).to.match(new RegExp(`^${row} +[\\d.]+ +(MB/s|ms) `, 'm'))
    }
    expect(stdout).not.to.match(/[\x1b\r]/)
  })

  it('ends on Ctrl-C, and leaves nothing', async () => {
    const args = ['benchmark', '--seconds', '30', '--directory', directory, '--local']
    const child = spawn(launcher, args, { env: cluster.environment, stdio: 'ignore' })
    const exited = once(child, 'exit')
    await cluster.waitFor('the measurement of the disk', async () => readdirSync(directory).length > 0)
    child.kill('SIGINT')
    expect((await exited)[0]).to.equal(130)
    expect(readdirSync(directory)).to.deep.equal([])
  })

  it('needs no cluster for this machine alone', async () => {
    const nowhere = { environment: { TWOFOLD_MANAGER: '127.0.0.1:1' } }
    const local = await cluster.run(['benchmark', ...quick, '--directory', directory, '--local', '--json'], nowhere)
    expect(local.code).to.equal(0)
    expect(parseLines<Benchmark>(local.stdout)[0]).to.include({ complete: true, cluster: null })
    const whole = await cluster.run(['benchmark', ...quick, '--directory', directory], nowhere)
    expect(whole.code).to.equal(10)
    expect(whole.stderr).to.match(/^twofold: cannot reach the manager/)
  })

  it('tells of a node that is away, and of a cluster that cannot take a backup', async () => {
    await cluster.end('n3', 'SIGKILL')
    const { complete, cluster: figures } = await measure()
    expect(complete).to.equal(false)
    const away = figures?.nodes.find(({ name }) => name === 'n3')
    expect(away).to.include({ round_trip: null, send: null, receive: null })
    expect(away?.problem).not.to.equal('')
    expectFigure(figures?.pipeline, 'the pipeline')
    await cluster.end('n2', 'SIGKILL')
    await cluster.waitForState('n2', 'suspect', 'dead')
    await cluster.waitForState('n3', 'suspect', 'dead')
    const [report] = await cluster.json<Benchmark>(['benchmark', ...quick, '--directory', directory], 14)
    expect(report?.cluster?.pipeline.problem).to.match(/not enough nodes/)
  })
})
