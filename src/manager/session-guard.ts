import { timingSafeEqual } from 'node:crypto'
import { TwofoldError } from '../core/errors.ts'
import type { SessionRef } from '../core/messages.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { SessionRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'

/**
 * The session that `ref` names, whatever became of it.
 * @throws TwofoldError `session-ended` when there is none, `permission-denied` when the secret is wrong.
 */
export async function findSession(tx: CatalogueReader, ref: SessionRef): Promise<SessionRow> {
  const session = await tx.sessions.find(ref.sessionId)
  if (session === undefined) throw new TwofoldError('session-ended', 'there is no such session; begin a new one')
  const shown = Buffer.from(ref.sessionToken)
  const secret = Buffer.from(session.token)
  if (shown.length !== secret.length || !timingSafeEqual(shown, secret)) {
    throw new TwofoldError('permission-denied', "the session's token is wrong")
  }
  return session
}

/** The same for a session that must be open. @throws TwofoldError `session-ended`, `permission-denied` */
export async function requireSession(
  context: ManagerContext,
  tx: CatalogueReader,
  ref: SessionRef,
): Promise<SessionRow> {
  const session = await findSession(tx, ref)
  requireOpen(context, session)
  return session
}

/** @throws TwofoldError `session-ended` */
export function requireOpen(context: ManagerContext, session: SessionRow): void {
  if (session.state === 'open' && context.leases.alive(session.sessionId)) return
  const reasons = {
    open: 'its lease ran out',
    expired: 'its lease ran out',
    committed: 'it has committed its snapshot',
    ended: 'it was given up',
  }
  throw new TwofoldError('session-ended', `the session is over: ${reasons[session.state]}`)
}
