import { expect } from 'chai'
import { alarmExitCode, parseAlarms, raised } from '../../../src/cli/fail-on.ts'
import type { ClusterId, Incarnation, NodeId } from '../../../src/core/ids.ts'
import type { ClusterStatus, NodeInfo, NodeState } from '../../../src/core/model.ts'

const dayMs = 86_400_000
const now = 1000 * dayMs

function aNode(name: string, state: NodeState, writable = true): NodeInfo {
  const node = { nodeId: name as NodeId, incarnation: '' as Incarnation, name, address: '', failureDomain: '' }
  const room = { capacityBytes: 1, usedBytes: 0, freeBytes: 1, reservedBytes: 0, packs: 0, uploads: 0 }
  return { node, state, ...room, lastHeartbeatMs: 0, writable, problem: '', programVersion: '' }
}

const well: ClusterStatus = {
  ...{ clusterId: '' as ClusterId, epoch: 1, safeMode: false, nodes: [aNode('n1', 'up'), aNode('n2', 'up')] },
  ...{ snapshots: 3, packs: 9, packsDegraded: 0, packsUnavailable: 0, chunks: 1, storedBytes: 1, sessionsOpen: 0 },
  safety: { full: 3, degraded: 0, lost: 0, failureDomains: 2, provenAtMs: now - 5 * dayMs, endangered: [] },
  ...{ packsUnknown: 0, copiesDamaged: 0, managerTimeMs: now },
  ...{ lastBackupMs: now - 2 * dayMs, programVersion: '', lineage: 'verified', lineageProblem: '' },
}

describe('conditions of a monitor', () => {
  const names = (list: string, status: Partial<ClusterStatus> = {}): string[] =>
    raised(parseAlarms(list), { ...well, ...status }, now).map(({ name }) => name)
  const all = 'lost,degraded,node-down,read-only,safe-mode,catalogue,stale-proof:30d,no-backup:3d'

  it('do not hold where all is well', () => {
    expect(names(all)).to.deep.equal([])
    expect(alarmExitCode([])).to.equal(0)
  })

  it('each hold for what they are about, and nothing else', () => {
    const safety = well.safety
    expect(names(all, { safety: { ...safety, degraded: 1 } })).to.deep.equal(['degraded'])
    expect(names(all, { packsDegraded: 1 })).to.deep.equal(['degraded'])
    expect(names(all, { safety: { ...safety, lost: 1 } })).to.deep.equal(['lost', 'degraded'])
    expect(names(all, { nodes: [aNode('n1', 'up'), aNode('n2', 'dead')] })).to.deep.equal(['node-down'])
    expect(names(all, { nodes: [aNode('n1', 'suspect')] })).to.deep.equal(['node-down'])
    expect(names(all, { nodes: [aNode('n1', 'drained'), aNode('n2', 'removed')] })).to.deep.equal([])
    expect(names(all, { nodes: [aNode('n1', 'up', false)] })).to.deep.equal(['read-only'])
    expect(names(all, { safeMode: true })).to.deep.equal(['safe-mode'])
    expect(names(all, { lineage: 'rolled-back' })).to.deep.equal(['catalogue'])
    expect(names('stale-proof:4d,no-backup:1d')).to.deep.equal(['stale-proof', 'no-backup'])
    expect(names('stale-proof:4d', { safety: { ...safety, provenAtMs: 0 } }), 'never').to.deep.equal(['stale-proof'])
    expect(names('stale-proof:4d', { snapshots: 0 }), 'nothing to prove').to.deep.equal([])
    expect(names('no-backup:1d', { lastBackupMs: 0 })).to.deep.equal(['no-backup'])
  })

  it('end with the code of the worst', () => {
    const code = (list: string, status: Partial<ClusterStatus>): number =>
      alarmExitCode(raised(parseAlarms(list), { ...well, ...status }, now))
    const broken = { packsDegraded: 2, packsUnavailable: 1, safeMode: true }
    expect(code('safe-mode', broken)).to.equal(17)
    expect(code('safe-mode,degraded', broken)).to.equal(15)
    expect(code('safe-mode,degraded,lost', broken)).to.equal(16)
  })

  it('are refused when they are none', () => {
    for (const text of ['', 'worse', 'stale-proof', 'stale-proof:soon', 'degraded:3d', 'toString']) {
      expect(() => parseAlarms(text), text).to.throw(/no (condition|duration)/)
    }
  })
})
