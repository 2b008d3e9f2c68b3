import { describeError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { BeginBackupRequest, Session } from '../core/messages.ts'
import type { BackupDeps } from './backup-request.ts'
import { persistently } from '../core/persistently.ts'
import { Progress } from './progress.ts'
import type { RunOptions } from './progress.ts'
import { RunScope } from './run-scope.ts'
import { SessionKeeper } from './session-keeper.ts'
import { SnapshotWriter } from './snapshot-writer.ts'

export interface RunningSession {
  readonly session: Session
  readonly writer: SnapshotWriter
  readonly scope: RunScope
  readonly progress: Progress
}

type Begin = Omit<BeginBackupRequest, 'clientId' | 'requestId'> & Partial<BeginBackupRequest>

/**
 * Opens a session, keeps it alive while `work` runs, and gives it up when that fails, so that what was uploaded becomes
 * garbage at once instead of when the lease ends.
 * @throws what `work` or anything beside it threw first; `cancelled` when the caller gave up.
 */
export async function inSession<T>(
  deps: BackupDeps,
  run: { begin: Begin; options: RunOptions },
  work: (running: RunningSession) => Promise<T>,
): Promise<T> {
  const { manager, clock, random } = deps
  const scope = new RunScope(run.options.signal)
  const { signal } = scope
  const progress = new Progress(clock, run.options)
  try {
    const request = { clientId: deps.clientId, requestId: randomHexId<string>(random), ...run.begin }
    const session = await persistently(() => manager.beginBackup(request, { signal }), { clock, random, signal })
    return await keepSession(deps, { session, scope, progress }, work)
  } catch (error) {
    throw scope.failure(error)
  } finally {
    scope.close()
  }
}

async function keepSession<T>(
  deps: BackupDeps,
  running: Omit<RunningSession, 'writer'>,
  work: (running: RunningSession) => Promise<T>,
): Promise<T> {
  const { session, scope, progress } = running
  const keeper = new SessionKeeper(deps, session, (error) => scope.fail(error))
  keeper.start()
  try {
    const writer = new SnapshotWriter(deps, session, { scope, progress, onCommit: () => keeper.committing() })
    const result = await work({ ...running, writer })
    progress.finish()
    return result
  } catch (error) {
    const failure = scope.failure(error)
    // Everything that still runs beside this ends now.
    scope.fail(failure)
    await giveUp(deps, session, failure)
    throw failure
  } finally {
    await keeper.stop()
  }
}

async function giveUp(deps: BackupDeps, session: Session, failure: unknown): Promise<void> {
  try {
    await deps.manager.endSession(session, describeError(failure))
  } catch (error) {
    // The lease ends it as well, only later; the failure itself is what the caller must see.
    deps.logger.debug('the session could not be ended', { sessionId: session.sessionId, error })
  }
}
