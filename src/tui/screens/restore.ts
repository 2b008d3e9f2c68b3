import { posix } from 'node:path'
import type { OverwriteMode, RestoreSummary, SnapshotInfo } from '../../client/index.ts'
import { formatBytes, plural } from '../../core/human-format.ts'
import { isUtf8, safePath } from '../../core/safe-text.ts'
import { joinBytes, shownBytes } from '../byte-path.ts'
import type { Key } from '../key-parser.ts'
import { isKey, isText } from '../list-cursor.ts'
import { noProgress, withProgress } from '../run-progress.ts'
import type { RunProgress } from '../run-progress.ts'
import { stay, yesOrNo } from '../screen.ts'
import type { Answer, Effect, Next, Shared } from '../screen.ts'
import { editText } from '../text-field.ts'
import type { News, RestorePlan } from '../work.ts'

/** A restore from the question where to until somebody has read how it went. */
export interface RestoreState {
  /** `checked`: it is known what it would do, and that was asked about. */
  readonly step: 'target' | 'checking' | 'checked' | 'running' | 'over'
  readonly what: string
  readonly reference: string
  readonly includes: readonly string[] | undefined
  /** As it is typed. */
  readonly target: string
  readonly problem: string
  readonly progress: RunProgress
  readonly summary: RestoreSummary | undefined
  readonly stopped: boolean
}

/** Begins with the question where to. No names: everything in the folder. */
export function restoreChosen(
  snapshot: SnapshotInfo,
  { path, names }: { path: Uint8Array; names: readonly Uint8Array[] },
  { root }: Shared,
): RestoreState {
  const one = names[0]
  const counted = names.length === 1 && one !== undefined ? shownBytes(joinBytes(path, one)) : `${names.length} things`
  return {
    step: 'target',
    what: `${names.length === 0 ? 'everything' : counted} of snapshot ${snapshot.shortId}`,
    ...referenceOf(snapshot, path, names),
    target: `${safePath(joinBytes(root, Buffer.from(`restored-${snapshot.shortId}`)))}`,
    ...{ problem: '', progress: noProgress, summary: undefined, stopped: false },
  }
}

/** What is chosen, directly below the target; a folder whose name is no text comes with its whole path. */
export function referenceOf(
  { id }: Pick<SnapshotInfo, 'id'>,
  path: Uint8Array,
  names: readonly Uint8Array[],
): { reference: string; includes: readonly string[] | undefined } {
  const all = names.length === 0
  if (path.length === 1) return { reference: id, includes: all ? undefined : names.map((name) => patternOf(name)) }
  if (!isUtf8(path)) {
    const paths = all ? [path.subarray(1)] : names.map((name) => joinBytes(path, name).subarray(1))
    return { reference: id, includes: paths.map(patternOf) }
  }
  return { reference: `${id}:${Buffer.from(path).toString('utf8')}`, includes: all ? undefined : names.map(patternOf) }
}

/** A pattern that matches nothing else. */
function patternOf(path: Uint8Array): string {
  return `/${Buffer.from(path)
    .toString('utf8')
    .replace(/[\\*?[]/g, '\\$&')}`
}

/** Between the answer and the first news of it, it runs already. */
export function stepOf({ step }: RestoreState, { running }: Shared): RestoreState['step'] {
  return step === 'checked' && running.includes('restore') ? 'running' : step
}

type RestoreNext = Next<RestoreState | undefined>

export function onRestoreKey(own: RestoreState, key: Key, shared: Shared): RestoreNext {
  switch (stepOf(own, shared)) {
    case 'target':
      return targetKey(own, key, shared.root)
    case 'checking':
    case 'checked':
      return isKey(key, 'escape') ? { own: undefined, effects: [{ do: 'cancel', kind: 'check-restore' }] } : stay(own)
    case 'running': {
      if (!isText(key, 'c')) return stay(own)
      const text = ['Files that are whole stay; none is left half written. The same restore goes on from there.']
      return stay(
        own,
        yesOrNo('Stop this restore?', text, { label: 'yes, stop it', effects: [{ do: 'cancel', kind: 'restore' }] }),
      )
    }
    case 'over':
      return isKey(key, 'enter', 'escape') ? { own: undefined } : stay(own)
  }
}

function targetKey(own: RestoreState, key: Key, root: Uint8Array): RestoreNext {
  if (isKey(key, 'escape')) return { own: undefined }
  const target = editText(own.target, key)
  if (target !== undefined) return stay({ ...own, target, problem: '' })
  if (!isKey(key, 'enter')) return stay(own)
  if (own.target.trim() === '') return stay({ ...own, problem: 'Name the folder to restore to.' })
  return stay({ ...own, step: 'checking' }, { do: 'start', work: { kind: 'check-restore', plan: planOf(own, root) } })
}

function planOf({ reference, includes, target }: RestoreState, root: Uint8Array): RestorePlan {
  const typed = Buffer.from(target.trim()).toString('latin1')
  const path = posix.resolve(Buffer.from(root).toString('latin1'), typed)
  return { reference, includes, target: Buffer.from(path, 'latin1') }
}

export function onRestoreNews(own: RestoreState, news: News, { root }: Shared): RestoreNext {
  switch (news.kind) {
    case 'restore-checked':
      if (own.step !== 'checking') return stay(own)
      return stay({ ...own, step: 'checked' }, question(planOf(own, root), news.summary))
    case 'progress': {
      if (news.of !== 'restore') return stay(own)
      return stay({
        ...own,
        step: own.step === 'over' ? 'over' : 'running',
        progress: withProgress(own.progress, news.event),
      })
    }
    case 'restored':
      return stay({ ...own, step: 'over', summary: news.summary })
    case 'ended':
      return stay(ended(own, news))
    default:
      return stay(own)
  }
}

function ended(own: RestoreState, { work, problem, cancelled }: Extract<News, { kind: 'ended' }>): RestoreState {
  if (work.kind === 'check-restore' && problem !== undefined) return { ...own, step: 'target', problem }
  if (work.kind !== 'restore' || own.step === 'over') return own
  return { ...own, step: 'over', problem: problem ?? '', stopped: cancelled }
}

function question(plan: RestorePlan, summary: RestoreSummary): Effect {
  const { filesRestored, filesSkipped, directories, totalBytes } = summary
  const files = filesRestored + filesSkipped
  const begin = (overwrite: OverwriteMode): Answer['effects'] => [
    { do: 'start', work: { kind: 'restore', plan, overwrite } },
  ]
  const size = `${plural(files, 'file')} and ${plural(directories, 'folder')}, ${formatBytes(totalBytes)}`
  const title = `Restore to ${shownBytes(plan.target)}?`
  if (filesSkipped === 0) {
    return yesOrNo(title, [`${size}. Nothing that is there has one of their names.`], {
      label: 'yes, restore',
      effects: begin('never'),
    })
  }
  const text = [
    `${size}. ${plural(filesSkipped, 'file')} of the same name ${filesSkipped === 1 ? 'is' : 'are'} there already.`,
  ]
  const answers = [
    { key: 'k', label: 'keep those that are there, restore the others', effects: begin('never') },
    { key: 'n', label: 'replace only those that are older than in the snapshot', effects: begin('if-newer') },
    { key: 'o', label: 'overwrite all of them: what is in them now is lost', effects: begin('always') },
  ]
  return { do: 'ask', question: { title, text, answers } }
}
