import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, parseLines } from '../../bench/cluster.ts'
import { packFiles } from './running-backup.ts'
import { seededBytes } from './seeded-bytes.ts'

interface Line {
  readonly message_type: string
  readonly kind?: string
  readonly verdict?: string
  readonly path?: string
  readonly snapshot_id?: string
  readonly copies_bad?: number
  readonly well?: boolean
  readonly copies_reported?: number
  readonly item?: string
}

interface Listed {
  readonly packs: readonly { readonly pack_id: string; readonly copies: readonly { readonly node: string }[] }[]
}

const bigBytes = 3_000_000

describe('a copy that rots on the disk of a node', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  beforeEach(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-rotten-')))
    source = join(folder, 'source')
    fs.mkdirSync(source)
    fs.writeFileSync(join(source, 'first'), seededBytes(1, bigBytes))
    cluster = await Cluster.start()
    expect((await cluster.run(['backup', source])).code).to.equal(0)
    fs.writeFileSync(join(source, 'second'), seededBytes(2, bigBytes))
    expect((await cluster.run(['backup', source])).code).to.equal(0)
  })
  afterEach(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  /** What a bad disk does: 4 KiB in the middle of a file are something else. */
  function rot(file: string): void {
    const args = [`of=${file}`, 'if=/dev/urandom', 'bs=4096', 'count=1', 'seek=100', 'conv=notrunc', 'status=none']
    execFileSync('dd', args)
  }

  async function run(...args: string[]): Promise<{ code: number; lines: Line[] }> {
    const { code, stdout, stderr } = await cluster.run([...args, '--json'])
    return { code, lines: [...parseLines<Line>(stdout), ...parseLines<Line>(stderr)] }
  }

  const quarantined = (): string[] =>
    cluster.nodeNames.flatMap((name) => {
      const aside = join(cluster.dataDirectory(name), 'quarantine')
      return fs.existsSync(aside) ? fs.readdirSync(aside) : []
    })

  it('is found by a check that reads, and by no other', async () => {
    expect((await run('check')).code).to.equal(0)
    expect((await run('check', '--read-data')).code).to.equal(0)
    const [file = ''] = packsWith(1)
    rot(file)
    expect((await run('check')).code).to.equal(0)
    const { code, lines } = await run('check', '--read-data')
    expect(code).to.equal(15)
    expect(lines.filter(({ kind, verdict }) => kind === 'copy' && verdict === 'bad')).to.have.length(1)
    expect(lines.find(({ message_type }) => message_type === 'summary')).to.include({ well: false, copies_bad: 1 })
    expect(quarantined()).to.have.length(1)
  })

  it('is read around by a restore, which tells the manager, and its node puts it aside', async () => {
    const packs = packsWith(1)
    expect(packs).to.have.length(2)
    const [[snapshot] = []] = await cluster.json<Listed[]>(['snapshots', 'latest', '--packs'])
    const asked = snapshot?.packs.find(({ pack_id }) => packs[0]?.includes(pack_id))?.copies[0]?.node ?? ''
    rot(packs.find((path) => path.startsWith(cluster.dataDirectory(asked))) ?? '')
    const { code, lines } = await run(
      'restore',
      `latest:${source}`,
      '--include',
      'first',
      '--target',
      join(folder, 'out'),
    )
    expect(code).to.equal(0)
    execFileSync('cmp', [join(source, 'first'), join(folder, 'out', 'first')])
    expect(lines.find(({ message_type }) => message_type === 'summary')).to.include({ copies_reported: 1 })
    await cluster.waitFor('the copy to be put aside', async () => quarantined().length === 1)
  })

  it('and has no good one beside it is named with the files that it takes along, and no others', async () => {
    const packs = packsWith(2)
    expect(packs).to.have.length(2)
    packs.forEach(rot)
    const { code, lines } = await run('check', '--read-data')
    expect(code).to.equal(16)
    const hurt = lines.filter(({ message_type }) => message_type === 'hurt').map(({ path }) => path)
    expect(hurt).to.include(join(source, 'second')).and.not.to.include(join(source, 'first'))
    await cluster.waitFor('the manager to know of both', async () => {
      const [status] = await cluster.json<{ copies_damaged: number }>(['status'])
      return status?.copies_damaged === 2
    })
    const restored = await run('restore', `latest:${source}`, '--target', join(folder, 'rest'))
    expect(restored.code).to.equal(16)
    expect(restored.lines.some(({ item }) => item?.endsWith('second'))).to.equal(true)
    expect(fs.readdirSync(join(folder, 'rest'))).to.deep.equal(['first'])
    execFileSync('cmp', [join(source, 'first'), join(folder, 'rest', 'first')])
  })

  it('tells a monitor only of what it asked for', async () => {
    expect((await cluster.run(['status', '--fail-on', 'no-backup:1h,lost,degraded'])).code).to.equal(0)
    const { code, stdout } = await cluster.run(['status', '--fail-on', 'no-backup:1ms'])
    expect(code).to.equal(17)
    expect(stdout).to.match(/^no-backup: the last one was/m)
  })

  /** The pack files with the content of a file: it cannot be compressed, so it is there as it is. */
  function packsWith(seed: number): string[] {
    const mark = Buffer.from(seededBytes(seed, bigBytes).subarray(1_000_000, 1_000_064))
    const files = cluster.nodeNames.flatMap((name) => packFiles(cluster, name))
    return files.filter((path) => fs.readFileSync(path).includes(mark))
  }
})
