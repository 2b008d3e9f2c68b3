import { expect } from 'chai'
import { runPutFile } from '../../../../src/client/put-file.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import { expectError } from '../../../support/expect-error.ts'
import { readSnapshot } from '../../../support/snapshot-content.ts'

async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

describe('putting a file', () => {
  it('stores each content as the next version', async () => {
    const { deps, cluster, random } = await createBackupFixture()
    const large = random.bytes(5_000_000)
    const first = await runPutFile(deps, { name: 'a/b c' }, pieces('hel', '', 'lo'))
    const second = await runPutFile(deps, { name: 'a/b c' }, pieces(large))
    expect([first.version, second.version]).to.deep.equal([1, 2])
    const { manifest, entries } = await readSnapshot(cluster, second.snapshot?.snapshotId ?? '')
    expect(manifest.fileName).to.equal('a/b c')
    expect(manifest.stats).to.include({ totalBytes: 5_000_000, newBytes: 5_000_000 })
    expect([...entries.keys()]).to.deep.equal(['/content'])
    expect(entries.get('/content')?.content.equals(large)).to.equal(true)
    expect(entries.get('/content')?.entry).to.include({ mode: 0o644, type: 'file' })
  })

  it('stores an empty file, and the same content only once', async () => {
    const { deps, cluster } = await createBackupFixture()
    await runPutFile(deps, { name: 'empty' }, pieces())
    await runPutFile(deps, { name: 'one' }, pieces('same'))
    const again = await runPutFile(deps, { name: 'two' }, pieces('same'))
    expect(again.version).to.equal(1)
    expect(cluster.records('data')).to.have.length(1)
  })

  it('answers a repeated request with the version that the first one made', async () => {
    const { deps, cluster } = await createBackupFixture()
    const request = { name: 'a', requestId: 'r1' }
    const first = await runPutFile(deps, request, pieces('content'))
    const other = { ...deps, clientId: 'f'.repeat(32) }
    const again = await runPutFile(other, request, pieces('content'))
    expect(again.version).to.equal(first.version)
    expect(again.snapshot?.snapshotId).to.equal(first.snapshot?.snapshotId)
    expect(cluster.snapshots.size).to.equal(1)
    expect((await runPutFile(deps, { name: 'a', requestId: 'r2' }, pieces('content'))).version).to.equal(2)
  })

  it('makes no version when the content ends with a failure', async () => {
    const { deps, cluster } = await createBackupFixture()
    const broken = (async function* () {
      yield Buffer.from('half')
      throw new Error('the caller went away')
    })()
    let failure: unknown
    await runPutFile(deps, { name: 'a' }, broken).catch((error: unknown) => (failure = error))
    expect(failure).to.have.property('message', 'the caller went away')
    expect(cluster.snapshots.size).to.equal(0)
    expect(cluster.trace.at(-1)).to.equal('endSession')
  })

  it('refuses names that are empty, too long, or have a NUL', async () => {
    const { deps } = await createBackupFixture()
    for (const name of ['', 'x'.repeat(1025), 'é'.repeat(513), 'a\0b']) {
      await expectError(runPutFile(deps, { name }, pieces('x')), 'invalid-argument')
    }
  })
})
