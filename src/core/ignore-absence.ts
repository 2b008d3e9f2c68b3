import { isTwofoldError } from './errors.ts'

/** For removals that are done when there is nothing: `await disk.remove(path).catch(ignoreAbsence)`. */
export function ignoreAbsence(error: unknown): void {
  if (!isTwofoldError(error, 'not-found')) throw error
}
