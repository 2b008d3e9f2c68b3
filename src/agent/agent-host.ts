import type { SourceTree } from '../client/index.ts'

/** What a hook left behind. */
export interface HookResult {
  /** Undefined when a signal, or the lack of time, ended it. */
  readonly exitCode: number | undefined
  /** The end of what it said. */
  readonly output: string
  readonly timedOut: boolean
}

/** The machine that an agent runs on, as a port. */
export interface AgentHost {
  /** Where a path leads once all symbolic links on it are followed. @throws TwofoldError `not-found`, `io` */
  realPath(path: Uint8Array): Promise<Uint8Array>
  /** What is backed up. It reaches nothing through a symbolic link, also if one is put there meanwhile. */
  openSource(): SourceTree
  /** Runs a command to its end. @throws the signal's reason when it is aborted */
  runHook(
    command: string,
    options: { readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<HookResult>
}
