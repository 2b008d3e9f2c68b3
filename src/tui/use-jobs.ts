import { useEffect, useLayoutEffect, useState } from 'react'
import { JobRunner } from './job-runner.ts'
import type { PerformWork } from './job-runner.ts'
import type { Action } from './state.ts'
import type { Job } from './work.ts'

/** Has under way what the state names. */
export function useJobs(jobs: readonly Job[], perform: PerformWork, dispatch: (action: Action) => void): void {
  const [runner] = useState(() => new JobRunner(perform, (job, news) => dispatch({ type: 'news', job, news })))
  // Together with the frame: who reads that something is being stopped may rely on it.
  useLayoutEffect(() => runner.sync(jobs), [runner, jobs])
  useEffect(() => () => void runner.stop(), [runner])
}
