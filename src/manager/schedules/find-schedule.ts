import { TwofoldError } from '../../core/errors.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { ScheduleRow, Series } from '../catalogue-schedules.ts'
import { normalPath } from './spec-check.ts'

const prefixDigitsMin = 4

/**
 * The schedule of an id, the beginning of one, or `AGENT:PATH`.
 * @throws TwofoldError `not-found`, `ambiguous`, `invalid-argument`
 */
export async function findSchedule(tx: CatalogueReader, reference: string): Promise<ScheduleRow> {
  const colon = reference.indexOf(':')
  if (colon > 0) {
    return findOfSeries(tx, { agent: reference.slice(0, colon), path: Buffer.from(reference.slice(colon + 1)) })
  }
  const id = reference.toLowerCase()
  if (!/^[0-9a-f]+$/.test(id) || id.length < prefixDigitsMin || id.length > 32) {
    throw new TwofoldError(
      'invalid-argument',
      `"${reference.slice(0, 80)}" names no schedule: give its id, at least ${prefixDigitsMin} digits of it, ` +
        'or AGENT:PATH',
    )
  }
  const [found, other] = await tx.schedules.byPrefix(id, 2)
  if (found === undefined) throw notFound(`whose id begins with ${id}`)
  if (other === undefined) return found
  throw new TwofoldError('ambiguous', `more than one schedule has an id that begins with ${id}; give more digits`)
}

/** @throws TwofoldError `not-found`, `invalid-argument` */
export async function findOfSeries(tx: CatalogueReader, { agent, path }: Series): Promise<ScheduleRow> {
  const found = await tx.schedules.ofSeries({ agent, path: normalPath(path) })
  if (found !== undefined) return found
  throw notFound(`of agent ${agent.slice(0, 80)} for ${Buffer.from(path).toString().slice(0, 200)}`)
}

function notFound(which: string): TwofoldError {
  return new TwofoldError('not-found', `there is no schedule ${which}; "twofold schedule list" has those there are`)
}
