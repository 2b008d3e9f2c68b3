import { TwofoldError } from '../../core/errors.ts'
import { noSizes } from '../../core/schedules.ts'
import type { AgentInfo, RemoveAgentRequest } from '../../core/schedules.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { ManagerContext } from '../context.ts'
import { once } from '../once.ts'
import type { AgentPresence } from './agent-presence.ts'
import { endRun } from './run-end.ts'
import { operation } from './schedule-decisions.ts'
import { viewAgent } from './schedule-view.ts'
import { requireAgentName } from './spec-check.ts'

/**
 * Forgets an agent that nothing needs: one that has no schedules and is not there. @returns it as it was
 * @throws TwofoldError `not-found`, `failed-precondition`, `invalid-argument`
 */
export async function removeAgent(
  context: ManagerContext,
  presence: AgentPresence,
  request: RemoveAgentRequest,
): Promise<AgentInfo> {
  const { agent: name, actor } = request
  requireAgentName(name)
  const fields = await once(context, { kind: 'agent-remove', request }, async (tx) => {
    const row = await tx.agents.find(name)
    const schedules = (await tx.schedules.countByAgent()).get(name) ?? 0
    if (schedules > 0) throw needed(name, schedules)
    if (row === undefined) {
      throw new TwofoldError('not-found', `there is no agent ${name}; "twofold agents" has those there are`)
    }
    const goneInMs = presence.goneInMs(name)
    if (goneInMs > 0) throw present(name, row.hostName)
    const info = viewAgent(name, { row, presence, schedules })
    await endRuns(tx, name, context.time.nowMs())
    await tx.agents.remove(name)
    const subject = row.hostName === '' ? name : `${name} on ${row.hostName}`
    await tx.operations.add(operation(context, { kind: 'agent-remove', actor, subject }))
    return { ...info, allow: info.allow.map((path) => Buffer.from(path).toString('base64')) }
  })
  // Asked after the transaction, in which nothing may change that a failure of it could not undo.
  const left = await context.catalogue.read((tx) => tx.agents.find(name))
  if (left === undefined) presence.forget(name)
  return { ...fields, allow: fields.allow.map((path) => new Uint8Array(Buffer.from(path, 'base64'))) }
}

/** What it was working on, of schedules that were removed before. */
async function endRuns(tx: CatalogueWriter, agent: string, nowMs: number): Promise<void> {
  const nothing = { snapshotId: '', sizes: noSizes, filesUnreadable: 0, durationMs: 0 }
  const ending = { ...nothing, state: 'cancelled', message: 'its agent was removed' } as const
  for (const run of await tx.runs.active(agent)) await endRun(tx, run, { ending, nowMs })
}

function needed(name: string, schedules: number): TwofoldError {
  const what = schedules === 1 ? 'a schedule' : `${schedules} schedules`
  const how = `"twofold schedule list --agent ${name}" lists, "twofold schedule remove" removes them`
  return new TwofoldError('failed-precondition', `agent ${name} has ${what}: ${how}`)
}

function present(name: string, host: string): TwofoldError {
  const where = host === '' ? '' : ` on ${host}`
  return new TwofoldError(
    'failed-precondition',
    `agent ${name} is there${where}, or was a moment ago: stop it first, and try again after some seconds`,
  )
}
