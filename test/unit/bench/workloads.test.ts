import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { fillContent } from '../../../bench/workloads/content.ts'
import type { ContentKind } from '../../../bench/workloads/content.ts'
import { TreeComparison } from '../../../bench/compare-trees.ts'
import { planSecondDay, sizeAfter } from '../../../bench/workloads/second-day.ts'
import { SeededStream } from '../../../bench/workloads/seeded-stream.ts'
import { SourceFolder } from '../../../bench/workloads/source-folder.ts'
import { workloads } from '../../../bench/workloads/workload.ts'
import type { FileSpec } from '../../../bench/workloads/workload.ts'

const never = new AbortController().signal
const planOf = (name: string, scale: number, seed = 'x'): FileSpec[] =>
  workloads.find((workload) => workload.name === name)?.plan(scale, seed) ?? []
const bytesOf = (files: readonly FileSpec[]): number => files.reduce((sum, { size }) => sum + size, 0)

describe('seeded content', () => {
  const content = (kind: ContentKind, seed: string): Buffer => {
    const bytes = Buffer.alloc(100_001)
    fillContent(kind, new SeededStream(seed), bytes)
    return bytes
  }

  for (const kind of ['random', 'text', 'records'] as const) {
    it(`of the kind ${kind} is the same for a seed, and another for another`, () => {
      expect(content(kind, 'a').equals(content(kind, 'a'))).to.equal(true)
      expect(content(kind, 'a').equals(content(kind, 'b'))).to.equal(false)
    })
  }

  it('can be compressed as its kind says', () => {
    const ratio = (kind: ContentKind): number => 100_001 / zstdCompressSync(content(kind, 'a')).length
    expect(ratio('random')).to.be.below(1)
    expect(ratio('text')).to.be.within(1.5, 8)
    expect(ratio('records')).to.be.within(1.5, 8)
  })

  it('picks so many different things', () => {
    const picked = new SeededStream('a').pick([1, 2, 3, 4, 5], 3)
    expect(new Set(picked).size).to.equal(3)
    expect(new SeededStream('a').pick([1, 2], 3)).to.have.members([1, 2])
  })
})

describe('workloads', () => {
  for (const { name, plan } of workloads) {
    it(`plan the same ${name} files for a seed, each with a path of its own`, () => {
      const files = plan(0.01, 'x')
      expect(files).to.deep.equal(plan(0.01, 'x'))
      expect(new Set(files.map(({ path }) => path)).size).to.equal(files.length)
    })
  }

  it('have the size that they say', () => {
    expect(bytesOf(planOf('large', 1))).to.equal(1024 ** 3)
    expect(bytesOf(planOf('mixed', 1))).to.be.within(1024 ** 3, 1024 ** 3 + 8 * 1024 ** 2)
    expect(planOf('small', 1)).to.have.length(100_000)
    expect(bytesOf(planOf('small', 1)) / 100_000).to.be.within(1500, 1900)
  })

  it('have duplicates and empty files in the mixed tree', () => {
    const files = planOf('mixed', 0.5)
    expect(new Set(files.map(({ content }) => content)).size).to.be.below(files.length * 0.95)
    expect(files.filter(({ size }) => size === 0)).not.to.deep.equal([])
  })
})

describe('the second day', () => {
  it('changes 1 % of the files in five ways, always the same for a seed', () => {
    const files = planOf('small', 0.1)
    const changes = planSecondDay(files, 'x')
    expect(changes).to.deep.equal(planSecondDay(files, 'x'))
    const ways = Map.groupBy(changes, ({ way }) => way)
    expect([...ways.keys()]).to.have.members(['modify', 'append', 'new', 'delete', 'rename'])
    for (const [way, ofThisWay] of ways) expect(ofThisWay, way).to.have.length(20)
    const touched = changes.filter(({ way }) => way !== 'new').map(({ file }) => file.path)
    expect(new Set(touched).size).to.equal(80)
  })

  it('changes 1 % of the bytes inside of few files, and renames none', () => {
    const files = planOf('large', 1)
    const changes = planSecondDay(files, 'x')
    expect(changes).to.deep.equal(planSecondDay(files, 'x'))
    expect(changes.map(({ way }) => way)).to.have.members(['append', 'insert', 'modify', 'modify'])
    expect(new Set(changes.map(({ file }) => file.path)).size).to.equal(4)
    let changed = 0
    for (const change of changes) {
      if (change.way === 'append' || change.way === 'insert') changed += change.length
      if (change.way !== 'modify') continue
      const [first, second] = change.pieces
      changed += first!.length + second!.length
      expect(first!.offset + first!.length).to.be.at.most(second!.offset)
      expect(second!.offset + second!.length).to.be.at.most(change.file.size)
    }
    expect(changed).to.be.within(bytesOf(files) / 100, bytesOf(files) / 100 + 10)
  })
})

describe('the source folder', () => {
  let directory: string

  beforeEach(() => (directory = fs.mkdtempSync(join(tmpdir(), 'twofold-bench-test-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true }))

  const contentOf = (folder: string): [string, string][] =>
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => fs.statSync(join(folder, path)).isFile())
      .sort()
      .map((path) => [path, fs.readFileSync(join(folder, path), 'latin1')])

  it('is what was planned, on the second day too, and goes back to the first', async () => {
    const files = planOf('mixed', 0.002)
    const source = new SourceFolder(join(directory, 'source'), 'x')
    await source.write(files, never)
    const size = (): { files: number; bytes: number } => {
      const { files: count, bytes, differences } = TreeComparison.compare(source.path, source.path)
      expect(differences).to.deep.equal([])
      return { files: count, bytes }
    }
    const first = contentOf(source.path)
    expect(size()).to.deep.equal(sizeAfter(files, []))

    const changes = planSecondDay(files, 'x')
    source.change(changes)
    expect(size()).to.deep.equal(sizeAfter(files, changes))
    const before = new Map(first)
    const same = contentOf(source.path).filter(([path, content]) => before.get(path) === content)
    expect(same).to.have.length(files.length - 4)

    source.undo(changes)
    expect(contentOf(source.path)).to.deep.equal(first)
  })

  it('gets new bytes inside of its files, the old ones behind them, and goes back to the first day', async () => {
    const files = planOf('large', 0.005)
    const source = new SourceFolder(join(directory, 'source'), 'x')
    await source.write(files, never)
    const first = new Map(contentOf(source.path))
    const changes = planSecondDay(files, 'x')
    source.change(changes)
    const second = new Map(contentOf(source.path))
    for (const change of changes) {
      const [was, is] = [first.get(change.file.path)!, second.get(change.file.path)!]
      if (change.way === 'append') expect(is.startsWith(was) && is.length === was.length + change.length).to.equal(true)
      if (change.way !== 'insert') continue
      const inserted = is.slice(change.offset, change.offset + change.length)
      expect(is === was.slice(0, change.offset) + inserted + was.slice(change.offset)).to.equal(true)
    }
    const size = sizeAfter(files, changes)
    expect([...second.values()].reduce((sum, content) => sum + content.length, 0)).to.equal(size.bytes)

    source.undo(changes)
    expect(new Map(contentOf(source.path))).to.deep.equal(first)
  })

  it('is not written on after a stop', async () => {
    const stop = new AbortController()
    const source = new SourceFolder(join(directory, 'source'), 'x')
    const writing = source.write(planOf('small', 0.01), stop.signal)
    stop.abort()
    const failed = await writing.then(
      () => false,
      () => true,
    )
    expect(failed).to.equal(true)
    expect(contentOf(source.path).length).to.be.below(1000)
  })
})
