/** Nothing is all done before it has ended: what was read last is still to be stored. */
const mostBeforeEnd = 0.999

/** How much of a run is done, from 0 to 1; 1 only when it has ended. */
export function doneFraction(run: { bytesDone: number; totalBytes: number; ended?: boolean }): number {
  if (run.ended === true) return 1
  return run.totalBytes === 0 ? 0 : Math.min(mostBeforeEnd, run.bytesDone / run.totalBytes)
}
