import { clockSkewMsMost, roomShareLeast } from '../core/client-limits.ts'
import { formatAgo, formatBytes, formatDuration, plural } from '../core/human-format.ts'
import { packBytesMax } from '../core/limits.ts'
import type { ClusterStatus, NodeInfo } from '../core/model.ts'

/** `note`: nothing is wrong with it. `warning`: it works, and should be looked at. `failure`: it does not work. */
export type FindingGrade = 'ok' | 'note' | 'warning' | 'failure'

/** What one check found. */
export interface Finding {
  readonly check: 'connection' | 'clock' | 'nodes' | 'room' | 'versions' | 'certificates' | 'backups' | 'round-trip'
  /** Name of the node that it is about; empty for the whole. */
  readonly node: string
  readonly grade: FindingGrade
  /** Names of nodes may be in it: not yet safe for a terminal. */
  readonly text: string
  /** What to do about it; empty when there is nothing to do. */
  readonly advice: string
}

/** Fewer nodes than this cannot hold the copies that a backup needs unless a vault says otherwise. */
const copiesUsual = 2

/** Everything that a status tells. */
export function statusFindings(status: ClusterStatus, here: { nowMs: number; program: string }): Finding[] {
  return [
    ...nodeFindings(status),
    ...roomFindings(status.nodes),
    ...versionFindings(status, here.program),
    ...backupFindings(status, here.nowMs),
  ]
}

/** @param roundTripMs how long the answer took: so much of the difference may be the way */
export function clockFinding(skewMs: number, roundTripMs: number): Finding {
  const base = { check: 'clock', node: '' } as const
  const sure = Math.max(0, Math.abs(skewMs) - roundTripMs)
  if (sure <= clockSkewMsMost) {
    return { ...base, grade: 'ok', text: 'the clock here and that of the manager agree', advice: '' }
  }
  const direction = skewMs > 0 ? 'ahead of' : 'behind'
  return {
    ...base,
    grade: 'warning',
    text: `the clock here is ${formatDuration(sure)} ${direction} that of the manager`,
    advice: 'have both set by NTP: nothing is lost, but times of snapshots and schedules are wrong by that much',
  }
}

function nodeFindings({ nodes, safeMode }: ClusterStatus): Finding[] {
  const found = nodes.filter(({ state }) => state !== 'removed').flatMap(nodeFinding)
  if (safeMode) {
    const text = 'the manager is in safe mode: not all nodes have reported since it started'
    found.push(
      finding('nodes', 'warning', { text, advice: 'start the missing nodes, or remove those that are gone for good' }),
    )
  }
  if (nodes.length === 0) {
    found.push(
      finding('nodes', 'failure', { text: 'there are no storage nodes', advice: 'start some: twofold node --help' }),
    )
  }
  return found
}

function nodeFinding({ node, state, writable, problem }: NodeInfo): Finding[] {
  const name = node.name
  const why = problem === '' ? '' : `: ${problem}`
  switch (state) {
    case 'removed':
      return []
    case 'up':
      if (writable) return [finding('nodes', 'ok', { node: name, text: `${name} is up` })]
      return [
        finding('nodes', 'failure', {
          node: name,
          text: `${name} accepts no writes${why}`,
          advice: 'its log says why: most often its disk is full or fails; drain it if the disk fails',
        }),
      ]
    case 'draining':
    case 'drained':
      return [
        finding('nodes', 'note', {
          node: name,
          text: `${name} is ${state}`,
          advice: `twofold node resume ${name} takes it into use again`,
        }),
      ]
    case 'joining':
    case 'suspect':
    case 'dead': {
      const advice = 'is its process running, and can it reach the manager? Its log says what it tries'
      const grade = state === 'dead' ? 'failure' : 'warning'
      return [finding('nodes', grade, { node: name, text: `${name} is ${state}${why}`, advice })]
    }
  }
}

function roomFindings(nodes: readonly NodeInfo[]): Finding[] {
  const usable = nodes.filter(({ state, writable }) => state === 'up' && writable)
  const withRoom = usable.filter(({ freeBytes }) => freeBytes >= packBytesMax)
  const low = withRoom.filter(({ freeBytes, capacityBytes }) => freeBytes < capacityBytes * roomShareLeast)
  const free = usable.reduce((sum, { freeBytes }) => sum + freeBytes, 0)
  const found = low.map(({ node, freeBytes }) =>
    finding('room', 'warning', {
      node: node.name,
      text: `${node.name} has only ${formatBytes(freeBytes)} left`,
      advice: 'forget and prune old snapshots, add a node, or give it more with --capacity',
    }),
  )
  if (withRoom.length >= copiesUsual) {
    return [finding('room', 'ok', { text: `${formatBytes(free)} left on ${plural(usable.length, 'node')}` }), ...found]
  }
  const text = `only ${plural(withRoom.length, 'node has', 'nodes have')} room, and each pack needs ${copiesUsual}`
  const advice = 'add a node, bring back one that is away, or forget and prune'
  return [finding('room', 'failure', { text, advice }), ...found]
}

function versionFindings({ nodes, programVersion }: ClusterStatus, program: string): Finding[] {
  const here = program.split(' ').at(-1) ?? ''
  const versions = new Map<string, string[]>([[programVersion, ['the manager']]])
  const add = (version: string, who: string): void => {
    if (version !== '') versions.set(version, [...(versions.get(version) ?? []), who])
  }
  for (const { node, programVersion: version, state } of nodes) if (state === 'up') add(version, node.name)
  if (/^\d/.test(here)) add(here, 'this client')
  if (versions.size === 1) {
    return [
      finding('versions', 'ok', { text: `all run version ${programVersion === '' ? 'unknown' : programVersion}` }),
    ]
  }
  const list = [...versions].map(([version, who]) => `${version === '' ? 'unknown' : version} (${who.join(', ')})`)
  const advice = 'update all of them to the newest; versions beside each other work, but new features may not'
  return [finding('versions', 'warning', { text: `different versions run: ${list.join(', ')}`, advice })]
}

function backupFindings(status: ClusterStatus, nowMs: number): Finding[] {
  const { safety, packsDegraded, packsUnavailable, packsUnknown, copiesDamaged, lineage, lineageProblem } = status
  const found: Finding[] = []
  if (packsUnavailable > 0 || safety.lost > 0) {
    const text = `${plural(packsUnavailable, 'pack')} and ${plural(safety.lost, 'snapshot')} have no copy in reach`
    const advice = 'bring the nodes back that are away; "twofold check" says which files are hurt'
    found.push(finding('backups', 'failure', { text, advice }))
  } else if (packsDegraded > 0) {
    const text = `${plural(packsDegraded, 'pack has', 'packs have')} fewer copies than wanted`
    const advice = '"twofold tasks" shows the repair, and what it waits for'
    found.push(finding('backups', 'warning', { text, advice }))
  }
  if (copiesDamaged > 0) {
    const text = `${plural(copiesDamaged, 'copy is', 'copies are')} damaged and put aside until replaced`
    found.push(finding('backups', 'warning', { text, advice: 'look at the disks of the nodes that the events name' }))
  }
  if (lineage !== 'verified' || packsUnknown > 0) {
    const why = lineageProblem === '' ? 'nodes have packs that it does not know' : lineageProblem
    const advice = '"twofold status" says more; an older catalogue is made again from the nodes'
    const grade = lineage === 'rolled-back' || packsUnknown > 0 ? 'failure' : 'warning'
    found.push(finding('backups', grade, { text: `the catalogue may not be the newest: ${why}`, advice }))
  }
  if (found.length > 0) return found
  if (status.snapshots === 0)
    return [finding('backups', 'note', { text: 'there are no backups yet', advice: 'twofold backup FOLDER' })]
  const last = formatAgo(status.lastBackupMs, nowMs)
  const text = `${plural(status.snapshots, 'snapshot')} with all copies, the last ${last}`
  return [finding('backups', 'ok', { text })]
}

export function finding(
  check: Finding['check'],
  grade: FindingGrade,
  what: { text: string; node?: string; advice?: string },
): Finding {
  const { text, node = '', advice = '' } = what
  return { check, node, grade, text, advice }
}
