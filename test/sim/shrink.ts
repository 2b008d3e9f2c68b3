import { faultKinds } from './profile.ts'
import type { Profile } from './profile.ts'
import { runSeed } from './run-seed.ts'
import { noNetworkFaults } from './sim-network.ts'
import { Violation } from './violation.ts'

const wellCatalogue = { catalogueLostShare: 0, catalogueSlowShare: 0 }

/** What a failure is the same by: the invariant, or the kind of error. */
export function kindOf(failure: Error): string {
  return failure instanceof Violation ? failure.invariant : failure.message
}

/** Simpler versions of a profile, the simplest first. */
function simpler(profile: Profile, failedAtMs: number): Profile[] {
  const without = faultKinds
    .filter((kind) => profile.kinds.includes(kind))
    .map((kind) => ({ ...profile, kinds: profile.kinds.filter((other) => other !== kind) }))
  const network = (Object.keys(noNetworkFaults) as (keyof typeof noNetworkFaults)[])
    .filter((share) => profile.network[share] > 0)
    .map((share) => ({ ...profile, network: { ...profile.network, [share]: 0 } }))
  const candidates: Profile[] = [
    { ...profile, kinds: [], network: noNetworkFaults, ...wellCatalogue },
    { ...profile, network: noNetworkFaults, ...wellCatalogue },
    ...without,
    ...network,
    { ...profile, catalogueLostShare: 0 },
    { ...profile, catalogueSlowShare: 0 },
    { ...profile, room: {} },
    { ...profile, clients: 1 },
    { ...profile, nodes: 3 },
    { ...profile, chaosMs: Math.ceil(failedAtMs / 1000) * 1000 },
  ]
  const now = JSON.stringify(profile)
  return candidates.filter((candidate) => JSON.stringify(candidate) !== now && candidate.chaosMs <= profile.chaosMs)
}

/** Takes away what a failure does not need: kinds of faults, clients, nodes, time. */
export async function shrink(profile: Profile): Promise<Profile> {
  const first = await runSeed(profile.seed, { profile })
  if (first.failure === undefined) throw new Error(`seed ${profile.seed} does not fail`)
  const wanted = kindOf(first.failure)
  let smallest = profile
  let failedAtMs = first.virtualMs
  for (let found = true; found;) {
    found = false
    for (const candidate of simpler(smallest, failedAtMs)) {
      const result = await runSeed(candidate.seed, { profile: candidate })
      if (result.failure === undefined || kindOf(result.failure) !== wanted) continue
      smallest = candidate
      failedAtMs = result.virtualMs
      found = true
      break
    }
  }
  return smallest
}
