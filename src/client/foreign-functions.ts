import { arch } from 'node:os'

/** In the place of an open directory, for functions of the system that take one. */
export const atCurrentDirectory = -100
/** A flag of such functions: a symbolic link itself is meant, not what it leads to. */
export const noFollow = 0x100

/** The part of `koffi` that is used. */
export interface ForeignFunctions {
  load(library: null): { func(prototype: string): (...args: unknown[]) => number }
  /** Of the last call that failed. */
  errno(): number
}

/**
 * System calls that Node does not offer are reached through `koffi`; undefined where that is not installed, and on
 * processors whose structures and flags are others than those that are known here.
 */
export async function loadForeignFunctions(): Promise<ForeignFunctions | undefined> {
  if (arch() !== 'x64' && arch() !== 'arm64') return undefined
  // The name is not a literal because the package is optional: type checking must not need it.
  const name: string = 'koffi'
  try {
    const loaded = (await import(name)) as { default: ForeignFunctions }
    return loaded.default
  } catch {
    // Not installed, or not for this platform. What is lost without it is documented, and never correctness.
    return undefined
  }
}
