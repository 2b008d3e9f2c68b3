import { expect } from 'chai'
import { TwofoldError } from '../../../../src/core/errors.ts'
import type { RestoreRequest, RestoreSummary } from '../../../../src/client/restore-request.ts'
import { expectError } from '../../../support/expect-error.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'
import { RestoreBench } from '../../../support/restore-bench.ts'

const count = 20
const lengthOf = (number: number): number => 400_000 + number

describe('a restore that was interrupted', () => {
  let bench: RestoreBench
  let target: MemoryTarget

  beforeEach(async () => {
    bench = await RestoreBench.start()
    target = new MemoryTarget()
    for (let number = 0; number < count; number++) {
      bench.source.file(`/d${number % 3}/f${number}`, bench.content(lengthOf(number)))
    }
    await bench.backup()
  })

  /** The disk is full when so many files are whole; nothing of the run is left but the target. */
  async function interrupt(files: number, request: Partial<RestoreRequest> = {}): Promise<void> {
    let left = files
    target.onChange = (call) => {
      if (call === 'commit' && left-- <= 0) throw new TwofoldError('no-room', 'full')
    }
    await expectError(bench.restore(target, request), 'no-room')
    target.onChange = undefined
    bench.cluster.trace.length = 0
  }

  const whole = (): number => [...target.entries.values()].filter(({ type }) => type === 'file').length

  async function again(request: Partial<RestoreRequest> = {}): Promise<RestoreSummary> {
    const summary = await bench.restore(target, request)
    for (let number = 0; number < count; number++) {
      const path = `d${number % 3}/f${number}`
      expect(target.at(path)?.content.equals(bench.source.node(`/${path}`).content), path).to.equal(true)
      expect(target.at(path)?.mode, path).to.equal(bench.source.node(`/${path}`).mode)
    }
    return summary
  }

  it('goes on without fetching again what it had finished, and ends as if nothing had happened', async () => {
    for (const files of [0, 1, 13, 19]) {
      target = new MemoryTarget()
      await interrupt(files)
      const before = whole()
      expect(before).to.be.at.least(files)
      const summary = await again()
      expect(summary).to.include({ filesResumed: before, filesSkipped: before, filesRestored: count - before })
      expect(target.marks.size, 'the mark').to.equal(0)
      expect(await again(), 'all is compared').to.include({ filesResumed: 0, filesSkipped: count, bytesMoved: 0 })
    }
  })

  it('asks no node for a file that is there', async () => {
    await interrupt(count - 1)
    for (const path of ['d0/f0', 'd1/f1']) expect(target.at(path), path).not.to.equal(undefined)
    const bytes: number[] = []
    bench.cluster.faults.onRead = () => void bytes.push(1)
    const resumed = await again()
    const resumedReads = bytes.length
    bytes.length = 0
    await bench.restore(new MemoryTarget())
    expect(resumed.filesRestored).to.equal(count - resumed.filesResumed)
    expect(resumedReads).to.be.lessThan(bytes.length / 3)
  })

  it('replaces what was there before it began, and what looks otherwise', async () => {
    await bench.restore(target)
    // All of this is older than the restore that is interrupted, and has the right length and time.
    for (let number = 0; number < count; number++) target.at(`d${number % 3}/f${number}`)?.content.fill(7)
    await interrupt(5)
    const own = [...target.entries.values()].filter(({ type, content }) => type === 'file' && content[0] !== 7)
    expect(own.length).to.be.at.least(4)
    // Somebody wrote into two of those that the restore had finished.
    own[0]?.content.fill(9)
    if (own[0] !== undefined) own[0].mtimeNs += 5000n
    if (own[1] !== undefined) own[1].content = Buffer.from('shorter')
    expect(await again()).to.include({ filesResumed: own.length - 2 })
  })

  it('replaces what a restore that compares took for the same, but did not write', async () => {
    await bench.restore(target)
    for (let number = 0; number < count; number++) target.at(`d${number % 3}/f${number}`)?.content.fill(7)
    target.entries.delete('d2/f2')
    await interrupt(0, { overwrite: 'if-changed' })
    await again()
  })

  it('takes nothing over from a restore of something else', async () => {
    await interrupt(3, { reference: 'latest:/d0' })
    expect(await bench.restore(target, { reference: 'latest:/d1' })).to.include({ filesResumed: 0 })
    bench.source.file('/d0/f0', bench.content(lengthOf(0)))
    await interrupt(10)
    await bench.backup()
    const summary = await again()
    expect(summary.filesResumed).to.equal(0)
    expect(summary.filesRestored + summary.filesSkipped).to.equal(count)
  })

  it('compares with the snapshot what was taken over, when it is to verify', async () => {
    await interrupt(12)
    const summary = await again({ verify: true })
    expect(summary).to.include({ filesVerified: count, problems: 0 })
    expect(summary.filesResumed).to.be.at.least(12)
  })

  it('finds by verifying that a file was changed meanwhile although it looks the same', async () => {
    await interrupt(12)
    const [victim] = [...target.entries].filter(([, { type }]) => type === 'file')
    victim?.[1].content.fill(7)
    const summary = await bench.restore(target, { verify: true })
    expect(summary).to.include({ problems: 1 })
    expect(bench.problems().map(([path]) => path)).to.deep.equal([`/${victim?.[0] ?? ''}`])
    await again()
  })

  it('links further names to a file that was taken over', async () => {
    bench.source.link('/d0/f0', '/twin')
    await bench.backup()
    await interrupt(count - 1)
    await again()
    expect(target.at('twin')).to.equal(target.at('d0/f0'))
  })

  it('leaves no mark when it only says what it would do', async () => {
    await bench.restore(target, { dryRun: true })
    expect(target.marks.size).to.equal(0)
  })
})
