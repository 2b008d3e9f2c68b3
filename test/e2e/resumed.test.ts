import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { RunningBackup } from './running-backup.ts'
import { seededBytes } from './seeded-bytes.ts'

const files = 40
const fileBytes = 6_000_000

interface BackupLine {
  readonly data_read: number
  readonly files_new: number
  readonly files_unmodified: number
  readonly resumed_from?: string
}

interface RestoreLine {
  readonly files_restored: number
  readonly files_resumed: number
}

describe('what was killed in the middle and is run again', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-again-')))
    source = join(folder, 'source')
    for (let number = 0; number < files; number++) {
      const directory = join(source, `${number % 4}`)
      fs.mkdirSync(directory, { recursive: true })
      fs.writeFileSync(join(directory, `${number}`), seededBytes(number + 1, fileBytes))
    }
    cluster = await Cluster.start()
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  it('is a backup: it goes on from its checkpoint and reads nothing again that this has', async () => {
    // For the last fifth it then takes some seconds, in which it is stopped.
    const slowly = ['--limit-upload', '20MB', '--checkpoint-interval', '1s']
    const backup = new RunningBackup(cluster, [source, ...slowly])
    await backup.untilDone(0.8 * files)
    // Stopped for longer than the interval it saves one right after it goes on.
    backup.interrupt('SIGSTOP')
    await sleep(2500)
    backup.interrupt('SIGCONT')
    const saved = await backup.killAfterCheckpoint(0.8 * files)
    expect(await backup.end()).to.equal(-1)
    expect(await cluster.json<object[]>(['snapshots'])).to.deep.equal([[]])
    expect((await cluster.json<object[]>(['snapshots', '--checkpoints']))[0]).to.have.lengthOf(1)

    const summary = (await cluster.json<BackupLine>(['backup', source])).at(-1)
    expect(summary?.resumed_from).to.be.a('string')
    expect(summary).to.include({ files_unmodified: saved, files_new: files - saved })
    expect(summary?.data_read).to.equal((files - saved) * fileBytes)
    expect((await cluster.json<object[]>(['snapshots', '--checkpoints']))[0]).to.have.lengthOf(0)
  })

  it('is a restore: it takes over every file that was whole', async () => {
    const target = join(folder, 'restored')
    const whole = (): string[] => {
      if (!fs.existsSync(join(target, source))) return []
      return fs.globSync('*/*', { cwd: join(target, source) }).filter((name) => !name.includes('.twofold'))
    }
    const restore = cluster.spawn(['restore', 'latest', '--target', target, '--limit-download', '50MB', '--json'])
    restore.stdout.resume()
    const ended = new Promise((resolve) => restore.once('close', resolve))
    while (whole().length < files / 4) await sleep(1)
    restore.kill('SIGSTOP')
    restore.kill('SIGKILL')
    await ended
    const before = whole()
    expect(before.length).to.be.within(files / 4, files - 1)

    const summary = (await cluster.json<RestoreLine>(['restore', 'latest', '--target', target])).at(-1)
    expect(summary).to.include({ files_resumed: before.length, files_restored: files - before.length })
    expect(TreeComparison.compare(source, join(target, source)).differences).to.deep.equal([])
    expect(fs.readdirSync(target).filter((name) => name.startsWith('.twofold'))).to.deep.equal([])
    expect(execFileSync('find', [target, '-name', '.twofold*']).toString()).to.equal('')
  })
})
