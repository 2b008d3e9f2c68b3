import { expect } from 'chai'
import { safetyLines, safetyRecord } from '../../../src/cli/safety-text.ts'
import { durabilityRecord } from '../../../src/cli/snapshot-text.ts'
import { copiesNow } from '../../../src/core/durability-text.ts'
import type { Durability } from '../../../src/core/model.ts'

const hourMs = 3_600_000
const now = 1_000 * hourMs

const full: Durability = {
  ...{ copies: 2, copiesWanted: 2, failureDomains: 2, packs: 5, packsDegraded: 0, packsUnavailable: 0 },
  ...{ provenAtMs: now - 3 * hourMs, repair: 'none', nodes: [] },
}
const short: Durability = { ...full, copies: 1, packsDegraded: 2 }
const lost: Durability = { ...full, copies: 0, packsDegraded: 2, packsUnavailable: 1, provenAtMs: 0 }

describe('how safe snapshots are, in words', () => {
  it('says how many copies there are now, and what is done', () => {
    expect(copiesNow(full)).to.equal('2/2')
    expect(copiesNow({ ...short, repair: 'running' })).to.equal('1/2 repairing')
    expect(copiesNow({ ...short, repair: 'waiting' })).to.equal('1/2 waiting')
    expect(copiesNow(short)).to.equal('1/2 degraded')
    expect(copiesNow({ ...lost, repair: 'waiting' })).to.equal('0/2 lost')
  })

  it('is told to scripts by names that stay', () => {
    const record = durabilityRecord({ ...short, repair: 'running' })
    expect(record).to.include({ copies: 1, copies_wanted: 2, state: 'repairing', failure_domains: 2 })
    expect(durabilityRecord(lost)).to.include({ state: 'lost', proven_at: null })
  })

  it('is summed up, the ones in danger by name', () => {
    const endangered = [
      { snapshotId: 'ab'.repeat(32), durability: lost },
      { snapshotId: 'cd'.repeat(32), durability: { ...short, repair: 'running' as const } },
    ]
    const safety = { full: 1200, degraded: 3, lost: 1, failureDomains: 1, provenAtMs: 0, endangered }
    expect(safetyLines(safety, now)).to.deep.equal([
      'Copies:       1,200 with all copies, 3 with too few, 1 with data lost; on 1 failure domain, proven never',
      '  abababab    0/2 lost, proven never',
      '  cdcdcdcd    1/2 repairing, proven 3 hours ago',
      '  and 2 others; "twofold snapshots" lists them',
    ])
    expect(safetyRecord(safety)).to.include({ snapshots_full: 1200, snapshots_degraded: 3, snapshots_lost: 1 })
    expect(safetyLines({ ...safety, full: 0, degraded: 0, lost: 0 }, now)).to.deep.equal([])
  })
})
