import type { AgentInfo, ScheduleSpec } from './schedules.ts'
import { safePath, safeText } from './safe-text.ts'
import { isWithin } from './within-folder.ts'

/** Why somebody may not have meant a schedule, though it can be added. */
export interface ScheduleDoubt {
  readonly about: 'agent' | 'path'
  readonly text: string
  readonly consequence: string
}

/** @param agents as far as anything is known of them */
export function scheduleDoubt(
  { agent, path }: Pick<ScheduleSpec, 'agent' | 'path'>,
  agents: readonly AgentInfo[],
): ScheduleDoubt | undefined {
  const registered = agents.filter(({ known }) => known)
  const found = registered.find(({ name }) => name === agent)
  if (found === undefined) {
    const names = registered.map(({ name }) => safeText(name)).join(', ')
    const known = names === '' ? 'none has yet' : `known are ${names}`
    const consequence = 'It waits then until an agent of that name is there.'
    return { about: 'agent', text: `No agent "${safeText(agent)}" has registered: ${known}.`, consequence }
  }
  if (found.allow.some((folder) => isWithin(path, folder))) return undefined
  const allowed = found.allow.map(safePath).join(', ') || 'nothing'
  return {
    about: 'path',
    text: `${safeText(agent)} allows ${allowed}, and refuses ${safePath(path)}.`,
    consequence: 'Its runs are refused then until the agent is started with that folder allowed.',
  }
}
