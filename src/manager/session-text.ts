import type { NewOperation, SessionRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'

type Described = Pick<NewOperation, 'kind' | 'timeMs' | 'actor' | 'subject' | 'durationMs'>

/** What the history says about a session. */
export function describeSession(context: ManagerContext, session: SessionRow): Described {
  const nowMs = context.clock.nowMs()
  const paths = session.paths.map((path) => Buffer.from(path).toString()).join(' ')
  return {
    kind: session.kind === 'repack' ? 'repack' : session.fileName === '' ? 'backup' : 'put',
    timeMs: nowMs,
    actor: `${session.user}@${session.host}`,
    subject: (session.fileName === '' ? paths : session.fileName).slice(0, 4096),
    // The wall clock may have been set back meanwhile.
    durationMs: Math.max(0, Math.round(nowMs - session.begunAtMs)),
  }
}
