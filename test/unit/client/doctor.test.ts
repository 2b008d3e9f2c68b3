import { expect } from 'chai'
import { runDoctor } from '../../../src/client/doctor.ts'
import type { DoctorRequest } from '../../../src/client/doctor.ts'
import type { Finding } from '../../../src/client/doctor-findings.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { createBackupFixture } from '../../support/backup-fixture.ts'
import type { BackupFixture } from '../../support/backup-fixture.ts'

describe('the doctor', () => {
  let fixture: BackupFixture
  beforeEach(async () => (fixture = await createBackupFixture()))

  async function examine(request: DoctorRequest = {}, deps = fixture.deps): Promise<Finding[]> {
    const told: Finding[] = []
    const found = await runDoctor(deps, request, { onFinding: (finding) => told.push(finding) })
    expect(found).to.deep.equal(told)
    return told
  }

  const failures = (found: readonly Finding[]): string[] =>
    found.filter(({ grade }) => grade === 'failure').map(({ check, node }) => `${check} ${node}`.trim())

  it('finds nothing wrong where nothing is, and leaves nothing', async () => {
    const found = await examine()
    expect(failures(found)).to.deep.equal([])
    const checks = ['connection', 'clock', 'nodes', 'room', 'versions', 'backups', 'certificates', 'round-trip']
    expect([...new Set(found.map(({ check }) => check))]).to.have.members(checks)
    const trips = found.filter(({ check, grade }) => check === 'round-trip' && grade === 'ok')
    expect(trips.map(({ node }) => node)).to.deep.equal(['n1', 'n2', 'n3'])
    await fixture.cluster.beatAll()
    const { packs, snapshots, sessionsOpen } = await fixture.deps.manager.getStatus()
    expect({ packs, snapshots, sessionsOpen }).to.deep.equal({ packs: 0, snapshots: 0, sessionsOpen: 0 })
    expect(await fixture.cluster.files()).to.deep.equal([])
  })

  it('says that the manager cannot be reached, and stops there', async () => {
    fixture.cluster.faults.before = () => {
      throw new TwofoldError('unavailable', 'cannot reach the manager')
    }
    const found = await examine()
    expect(found.map(({ check, grade }) => `${check} ${grade}`)).to.deep.equal(['connection failure'])
    expect(found[0]?.advice).to.include('twofold manager')
  })

  it('notices a clock that is an hour off', async () => {
    const { clock } = fixture
    const late = { ...fixture.deps, clock: { ...clockPort(), nowMs: () => clock.nowMs() - 3_600_000 } }
    const found = await examine({ roundTrip: false }, late)
    const finding = found.find(({ check }) => check === 'clock')
    expect(finding).to.include({ grade: 'warning' })
    expect(finding?.text).to.match(/1:00:00 behind/)
  })

  function clockPort(): BackupFixture['deps']['clock'] {
    const { clock } = fixture
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      yield: () => clock.yield(),
    }
  }

  it('says which node cannot be reached from here, and that others can', async () => {
    const { storage } = fixture.deps
    const cut: typeof storage = {
      upload: (...call) => storage.upload(...call),
      read: (...call) => storage.read(...call),
      verify: (...call) => storage.verify(...call),
      witness: (...call) => storage.witness(...call),
      stat: async (node, ...rest) => {
        if (node.name === 'n2') throw new TwofoldError('unavailable', 'connection refused')
        return storage.stat(node, ...rest)
      },
    }
    expect(failures(await examine({}, { ...fixture.deps, storage: cut }))).to.deep.equal(['round-trip n2'])
  })

  it('notices a node that gives back other bytes', async () => {
    const { storage } = fixture.deps
    const lying: typeof storage = {
      upload: (...call) => storage.upload(...call),
      stat: (...call) => storage.stat(...call),
      verify: (...call) => storage.verify(...call),
      witness: (...call) => storage.witness(...call),
      read: async function* (node, ...rest) {
        for await (const slice of storage.read(node, ...rest)) {
          const data = Buffer.from(slice.data)
          if (node.name === 'n3') data[0] = (data[0] ?? 0) ^ 1
          yield { ...slice, data }
        }
      },
    }
    expect(failures(await examine({}, { ...fixture.deps, storage: lying }))).to.deep.equal(['round-trip n3'])
  })

  it('says that one node is too few', async () => {
    fixture.lose('n2', 'n3')
    await fixture.deps.manager.getStatus()
    await fixture.cluster.sweepAll()
    const found = failures(await examine())
    expect(found).to.include.members(['room', 'round-trip n1'])
  })
})
