import type { PackEvent, ProgressEvent, StatusEvent } from '../client/index.ts'
import { tuiPacksMax, tuiProblemsMax } from '../core/client-limits.ts'
import { withSample } from './rate.ts'
import type { RateSample } from './rate.ts'

/** How far a backup or restore is. */
export interface RunProgress {
  /** Undefined until there is one. */
  readonly status: StatusEvent | undefined
  readonly samples: readonly RateSample[]
  /** The newest last; each pack once, as it is now. */
  readonly packs: readonly PackEvent[]
  readonly packsDurable: number
  /** The newest last. */
  readonly problems: readonly string[]
  readonly problemCount: number
}

export const noProgress: RunProgress = {
  status: undefined,
  samples: [],
  packs: [],
  packsDurable: 0,
  problems: [],
  problemCount: 0,
}

export function withProgress(progress: RunProgress, event: ProgressEvent): RunProgress {
  switch (event.type) {
    case 'status': {
      const sample = { seconds: event.secondsElapsed, bytes: event.bytesDone }
      return { ...progress, status: event, samples: withSample(progress.samples, sample) }
    }
    case 'pack': {
      const known = progress.packs.some(({ packId }) => packId === event.packId)
      const packs = known
        ? progress.packs.map((pack) => (pack.packId === event.packId ? event : pack))
        : [...progress.packs, event].slice(-tuiPacksMax)
      return { ...progress, packs, packsDurable: progress.packsDurable + (event.state === 'durable' ? 1 : 0) }
    }
    case 'problem':
      return withProblem(progress, `${event.path}: ${event.message}`, 1)
    case 'note':
      return withProblem(progress, event.message, 0)
    case 'file':
    case 'checkpoint':
      return progress
  }
}

function withProblem(progress: RunProgress, text: string, counts: number): RunProgress {
  const problems = [...progress.problems, text].slice(-tuiProblemsMax)
  return { ...progress, problems, problemCount: progress.problemCount + counts }
}
