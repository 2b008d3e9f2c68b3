import { catalogueMutants } from './mutants-catalogue.ts'
import { garbageMutants } from './mutants-garbage.ts'
import { storageMutants } from './mutants-storage.ts'
import type { Profile } from './profile.ts'

/** A change of the program's text. `find` must be there exactly once: no mutant outlives the rule that it removes. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** One rule of the protocol taken away, wherever it is held. */
export interface Mutant {
  readonly name: string
  /** What is true as long as the rule is held. */
  readonly rule: string
  readonly patches: readonly Patch[]
  /** What the seeds are like that are to notice, where the rule matters in few of all worlds only. */
  readonly chaos?: Partial<Profile>
  /** Below `test/`: what notices instead of seeds, where worlds in which the rule matters are hardly ever drawn. */
  readonly test?: string
}

/** @throws unless the text is there exactly once */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`"${find}" is ${parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

export const mutants: readonly Mutant[] = [...storageMutants, ...catalogueMutants, ...garbageMutants]
