import { expect } from 'chai'
import { fileSystemOf } from '../../../bench/measure/machine.ts'
import { measureCommand } from '../../../bench/measure/measured-command.ts'
import {
  parseCpuTicks,
  parsePeakRssBytes,
  readCpuTicks,
  readPeakRssBytes,
} from '../../../bench/measure/process-usage.ts'

const never = new AbortController().signal

/** What `work` fails with, in words. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it did not fail',
    (error: unknown) => (error as Error).message,
  )
}

describe('what /proc says of a process', () => {
  it('has its processor time after a name that may contain anything', () => {
    const rest = 'S 2801 2801 1452 0 -1 4194304 132 0 0 0 11 22 33 44 20 0 1 0 1707712'
    expect(parseCpuTicks(`2804 (sleep) ${rest}`)).to.deep.equal({ own: 33, children: 77 })
    expect(parseCpuTicks(`2804 (a b) 1 2 (c) ${rest}`)).to.deep.equal({ own: 33, children: 77 })
    expect(() => parseCpuTicks('2804 (sleep) S 1 2')).to.throw('/proc/PID/stat')
  })

  it('has its peak of memory, but not once it has ended', () => {
    expect(parsePeakRssBytes('Name:\tx\nVmPeak:\t    2920 kB\nVmHWM:\t    1828 kB\nVmRSS:\t 1000 kB\n')).to.equal(
      1828 * 1024,
    )
    expect(parsePeakRssBytes('Name:\tx\nState:\tZ (zombie)\n')).to.equal(undefined)
  })

  it('can be read', () => {
    expect(readCpuTicks(process.pid).own).to.be.greaterThan(0)
    expect(readPeakRssBytes(process.pid)).to.be.greaterThan(10_000_000)
    expect(readPeakRssBytes(2 ** 30)).to.equal(undefined)
  })
})

describe('a measured command', () => {
  const shell = (script: string): { file: string; arguments: string[] } => ({ file: 'sh', arguments: ['-c', script] })

  it('tells what it spent, with its children, and said', async () => {
    const count = 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'
    const { seconds, usage, stdout } = await measureCommand(shell(`(${count}); echo done`), never)
    expect(stdout).to.equal('done\n')
    expect(usage.cpuSeconds)
      .to.be.greaterThan(0)
      .and.at.most(seconds + 0.02)
  })

  it('that fails is an error with what it said', async () => {
    expect(await failureOf(measureCommand(shell('echo why >&2; exit 3'), never))).to.match(/exited with 3: why/)
    expect(await failureOf(measureCommand({ file: '/no/such/program', arguments: [] }, never))).to.match(/ENOENT/)
  })

  it('is stopped with all that it started', async () => {
    const stop = new AbortController()
    const running = failureOf(measureCommand(shell('sleep 60 | cat'), stop.signal))
    stop.abort(new Error('enough'))
    expect(await running).to.equal('enough')
  })
})

describe('the file system of a directory', () => {
  const mounts = [
    'rootfs / rootfs rw 0 0',
    '/dev/vda / ext4 rw 0 0',
    'tmpfs /tmp tmpfs rw 0 0',
    '/dev/vdb /mnt/my\\040disk xfs rw 0 0',
    '',
  ].join('\n')

  it('is that of the innermost mount, and of two at one place the later', () => {
    expect(fileSystemOf('/tmp/x', mounts)).to.equal('tmpfs')
    expect(fileSystemOf('/tmpx', mounts)).to.equal('ext4')
    expect(fileSystemOf('/mnt/my disk', mounts)).to.equal('xfs')
  })
})
