import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packBytesTarget } from '../../../src/core/limits.ts'
import { freePorts } from '../../../bench/free-ports.ts'
import { LoopDelays } from '../../../bench/measure/loop-delays.ts'
import { ServerMeter, secondsWithChildren } from '../../../bench/measure/server-meter.ts'
import { SyncedFiles } from '../../../bench/programs/synced-files.ts'
import { RunningProcess } from '../../../bench/running-process.ts'

const never = new AbortController().signal

describe('servers that are measured', () => {
  let directory: string
  let server: RunningProcess | undefined

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'twofold-bench-test-'))
    server = undefined
  })
  afterEach(async () => {
    await server?.end('SIGKILL')
    fs.rmSync(directory, { recursive: true })
  })

  /** @param script of a process, in which `port` is where it shall listen */
  async function start(script: string, environment: NodeJS.ProcessEnv = {}): Promise<RunningProcess> {
    const port = await freePorts()
    return RunningProcess.startAt(port, {
      command: process.execPath,
      arguments: ['-e', `const port = ${port}; ${script}`],
      environment: { ...process.env, ...environment },
      logFile: join(directory, 'log'),
    })
  }
  const listen = `require('node:net').createServer().listen(port, '127.0.0.1')`

  // Of processor time: on a busy machine that is more than so much time.
  const busy = `const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);`
  const blocking = `${listen}; process.on('SIGUSR1', () => { ${busy} })`

  it('say how late their event loop was since the last time', async () => {
    const delays = new LoopDelays(join(directory, 'delays'))
    server = await start(blocking, delays.environment)
    await delays.take(server.pid)
    const meter = await ServerMeter.begin({ server: server.pid }, { delays })
    process.kill(server.pid, 'SIGUSR1')
    const { server: usage } = await meter.end()
    expect(usage?.loopDelay?.most).to.be.greaterThan(100)
    expect(usage?.loopDelay?.p99).to.be.within(0, usage?.loopDelay?.most ?? 0)
    expect(fs.readdirSync(join(directory, 'delays'))).to.deep.equal([])
  })

  it('are metered for their processor time and memory', async () => {
    const delays = new LoopDelays(join(directory, 'delays'))
    server = await start(blocking, delays.environment)
    const meter = await ServerMeter.begin({ server: server.pid })
    process.kill(server.pid, 'SIGUSR1')
    await delays.take(server.pid)
    const { server: usage } = await meter.end()
    expect(usage).to.have.all.keys('cpuSeconds', 'peakRssBytes')
    expect(usage?.cpuSeconds).to.be.greaterThan(0.1)
    expect(usage?.peakRssBytes).to.be.greaterThan(10_000_000)
  })

  it('are counted with the processes that they started, once those are gone', async () => {
    server = await start(`require('node:child_process').spawn(process.execPath, ['-e', '${busy}']); ${listen}`)
    expect(await secondsWithChildren(server.pid, never)).to.be.greaterThan(0.1)
    expect(fs.readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).to.equal('')
  })

  it('that end before they listen are an error that names their log', async () => {
    const failed = await start('process.exit(3)').then(
      () => 'it did not fail',
      (error: unknown) => (error as Error).message,
    )
    expect(failed).to.include('ended before it was ready').and.include(join(directory, 'log'))
  })
})

describe('the files of the pipeline', () => {
  it('have all bytes in their order, each but the last as long as a pack', async () => {
    const directory = fs.mkdtempSync(join(tmpdir(), 'twofold-bench-test-'))
    try {
      const files = new SyncedFiles(join(directory, 'files'))
      const slice = Buffer.alloc(packBytesTarget / 2)
      for (let number = 1; number <= 9; number++) await files.append(slice.fill(number))
      await files.finish()
      const written = [0, 1, 2, 3, 4].map((name) => fs.readFileSync(join(directory, 'files', String(name))))
      const content = written.map((file) => [file.length / slice.length, file[0], file.at(-1)])
      expect(content).to.deep.equal([...[1, 3, 5, 7].map((first) => [2, first, first + 1]), [1, 9, 9]])
    } finally {
      fs.rmSync(directory, { recursive: true })
    }
  })
})
