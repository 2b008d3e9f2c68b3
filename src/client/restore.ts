import type { Clock } from '../core/clock.ts'
import { describeError, isTwofoldError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { ComparedFile } from './compared-file.ts'
import type { LoadOptions } from './chunk-loader.ts'
import { decideOverwrite, isOwn } from './overwrite.ts'
import type { OverwriteDecision } from './overwrite.ts'
import { findLocalContent, isWorthComparing } from './local-content.ts'
import type { LocalContent } from './local-content.ts'
import { PathPatterns } from './path-pattern.ts'
import { Progress } from './progress.ts'
import type { RunOptions } from './progress.ts'
import { RestoreDirectories } from './restore-directories.ts'
import { FileWriter } from './restore-files.ts'
import type { FileJob, FileSink, WholeJob } from './restore-files.ts'
import type { RestoreRequest, RestoreSummary } from './restore-request.ts'
import { deleteStrangers } from './restore-strangers.ts'
import type { TargetStat } from './restore-target.ts'
import { openDirectory } from './snapshot-tree.ts'
import type { ReadDeps, SnapshotDirectory } from './snapshot-tree.ts'
import { rootPath, splitNames } from './snapshot-path.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'

export interface RestoreDeps extends ReadDeps {
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Restores a snapshot or a part of it. What cannot be restored is reported and left out, everything else is restored.
 *
 * @throws TwofoldError `not-found` or `ambiguous` for the snapshot, `io` for a target that cannot be written to,
 * `no-room` when its disk is full, `unavailable` when the manager is lost for longer than a restart takes. Whatever
 * ended it, no file has its name before it is whole, and running it again completes it: what the one before has
 * finished is not fetched again.
 */
export async function runRestore(
  deps: RestoreDeps,
  request: RestoreRequest,
  options: RunOptions = {},
): Promise<RestoreSummary> {
  const { target, overwrite = 'always' } = request
  try {
    const from = await openDirectory(deps, request, options)
    if (request.dryRun === true) return await new Restore(deps, { request, from }, options).run()
    await target.prepare()
    const ownSinceNs = await target.begin({ snapshotId: from.snapshot.id, path: from.path, overwrite })
    const summary = await new Restore(deps, { request, from, ownSinceNs }, options).run()
    await target.finish()
    return summary
  } finally {
    await target.close()
  }
}

/** Failures of a read that say nothing about what was to be read. */
const outOfReach: readonly ErrorCode[] = ['unavailable', 'deadline-exceeded', 'overloaded']
/** Failures that every further entry would meet, too. */
const fatal: readonly ErrorCode[] = ['no-room', 'internal', 'cancelled']

/** Names of one file: the first one that is restored has the content, the others become links to it. */
interface LinkGroup {
  readonly first: FileJob
  usable: boolean
}

interface RestoreSubject {
  readonly request: RestoreRequest
  readonly from: SnapshotDirectory
  /** When the same restore began that was interrupted. */
  readonly ownSinceNs?: bigint | undefined
}

class Restore implements FileSink {
  readonly #deps: RestoreDeps
  readonly #request: RestoreRequest
  readonly #from: SnapshotDirectory
  readonly #options: RunOptions
  readonly #ownSinceNs: bigint | undefined
  readonly #progress: Progress
  readonly #includes: PathPatterns
  readonly #excludes: PathPatterns
  readonly #directories: RestoreDirectories
  readonly #files: FileWriter
  readonly #groups = new Map<string, LinkGroup>()
  readonly #groupOf = new Map<FileJob, LinkGroup>()
  readonly #links: FileJob[] = []
  readonly #written: FileJob[] = []
  readonly #reportedNodes = new Set<string>()
  readonly #reportedBefore: number
  readonly #counts = {
    filesRestored: 0,
    filesSkipped: 0,
    filesResumed: 0,
    directories: 0,
    symlinks: 0,
    hardLinks: 0,
    totalBytes: 0,
    bytesRestored: 0,
    bytesReused: 0,
    bytesMoved: 0,
    deleted: 0,
    filesVerified: 0,
    damaged: 0,
    unreachable: 0,
  }

  constructor(deps: RestoreDeps, { request, from, ownSinceNs }: RestoreSubject, options: RunOptions) {
    this.#ownSinceNs = ownSinceNs
    this.#deps = deps
    this.#request = request
    this.#from = from
    this.#options = options
    this.#progress = new Progress(deps.clock, options)
    this.#reportedBefore = deps.loader.badCopies.taken
    const { ignoreCase, overwrite = 'always' } = request
    this.#includes = new PathPatterns(request.includes ?? [], { ignoreCase })
    this.#excludes = new PathPatterns(request.excludes ?? [], { ignoreCase })
    this.#directories = new RestoreDirectories({
      target: request.target,
      replace: overwrite === 'always' || overwrite === 'if-changed',
      dryRun: request.dryRun ?? false,
      onMade: () => (this.#counts.directories += 1),
      onProblem: (path, error) => this.#problem(path, error, false),
    })
    this.#files = this.#writer(this, true)
    this.#expect(from)
  }

  async run(): Promise<RestoreSummary> {
    try {
      await this.#walk()
      await this.#files.flush()
      await this.#makeLinks()
      if (this.#request.deleteOthers === true) await this.#deleteOthers()
      await this.#directories.finish()
    } finally {
      await this.#files.discard()
      await this.#deps.loader.badCopies.settle()
    }
    if (this.#request.verify === true && this.#request.dryRun !== true) await this.#verify()
    this.#progress.finish()
    const { problems } = this.#progress
    const copiesReported = this.#deps.loader.badCopies.taken - this.#reportedBefore
    return { ...this.#counts, copiesReported, durationMs: this.#progress.elapsedMs(), problems }
  }

  open(job: FileJob): ReturnType<FileSink['open']> {
    return this.#request.target.createFile(job.names, job.entry.size)
  }

  writeWhole(content: Uint8Array, files: readonly WholeJob[]): Promise<readonly (TwofoldError | undefined)[]> {
    const placed = files.map(({ job: { names, entry }, offset }) => {
      return { path: names, offset, length: entry.size, metadata: entry }
    })
    return this.#request.target.writeFiles(content, placed)
  }

  progressed(job: FileJob, bytes: number): void {
    this.#progress.bytesDone += bytes
    this.#progress.tick(job.path)
  }

  moved(bytes: number, from: 'node' | 'target'): void {
    this.#counts[from === 'node' ? 'bytesMoved' : 'bytesReused'] += bytes
  }

  done(job: FileJob): void {
    this.#counts.filesRestored += 1
    this.#counts.bytesRestored += job.entry.size
    this.#progress.filesDone += 1
    this.#progress.file(job.path, 'restored', job.entry.size)
    const group = this.#groupOf.get(job)
    if (group !== undefined) group.usable = true
    if (this.#request.verify === true) this.#written.push(job)
  }

  failed(job: FileJob, error: TwofoldError, damaged: boolean): void {
    this.#progress.filesDone += 1
    this.#problem(job.path, error, damaged)
  }

  /** The totals of a whole snapshot are known beforehand; those of a part grow while it is walked. */
  #expect({ snapshot, path }: SnapshotDirectory): void {
    if (path.length > 1 || !this.#includes.empty || !this.#excludes.empty) return
    const { stats } = snapshot.manifest
    this.#progress.expect(stats.filesNew + stats.filesChanged + stats.filesUnmodified, stats.totalBytes)
  }

  async #walk(): Promise<void> {
    const { loader } = this.#deps
    const { vault, tree } = this.#from
    const walk = walkTree(
      { loader, vault, tree, path: rootPath },
      {
        signal: this.#options.signal,
        descend: (path) => !this.#excludes.matches(path) && this.#mayInclude(path),
        onMissing: (path, error) => this.#problem(path, error, true),
        onProblem: this.#load.onProblem,
        onWaiting: this.#load.onWaiting,
      },
    )
    for await (const entry of walk) {
      this.#options.signal?.throwIfAborted()
      const names = splitNames(entry.path)
      if (entry.type === 'directory') this.#directories.enter({ names, path: entry.path, entry })
      if (!this.#chosen(entry.path)) continue
      const depth = entry.type === 'directory' ? names.length + 1 : names.length
      const good = await this.#directories.ensure(depth)
      if (good && entry.type !== 'directory') await this.#take(entry, { names, path: entry.path, entry })
    }
  }

  #mayInclude(path: Uint8Array): boolean {
    return this.#includes.empty || this.#includes.mayMatchBelow(path)
  }

  #chosen(path: Uint8Array): boolean {
    return !this.#excludes.matches(path) && (this.#includes.empty || this.#includes.matches(path))
  }

  async #take(entry: ListedEntry, job: FileJob): Promise<void> {
    this.#counts.totalBytes += entry.size
    let decision: OverwriteDecision | undefined
    let existing: TargetStat | undefined
    await this.#guarded(job, async () => {
      existing = this.#directories.inNew ? undefined : await this.#request.target.stat(job.names)
      const ownSinceNs = this.#ownSinceNs
      decision = decideOverwrite(this.#request.overwrite ?? 'always', entry, { existing, ownSinceNs })
      if (decision === 'same' && existing !== undefined && isOwn(existing, ownSinceNs)) this.#resumed(job)
      if (decision !== 'write') await this.#keep(job, decision === 'same')
      else if (entry.type === 'symlink') await this.#makeSymlink(job)
    })
    if (decision === 'write' && entry.type === 'file') await this.#restoreFile(job, existing)
  }

  /** It was finished before the restore was interrupted. */
  #resumed(job: FileJob): void {
    this.#counts.filesResumed += 1
    if (this.#request.verify === true) this.#written.push(job)
  }

  async #keep(job: FileJob, same: boolean): Promise<void> {
    this.#counts.filesSkipped += 1
    this.#progress.filesDone += 1
    this.#progress.bytesDone += job.entry.size
    this.#progress.file(job.path, 'skipped', job.entry.size)
    if (!same) return
    const key = linkKey(job)
    if (key !== undefined && !this.#groups.has(key)) this.#groups.set(key, { first: job, usable: true })
    if (this.#request.dryRun !== true) await this.#request.target.setFileMetadata(job.names, job.entry)
  }

  async #makeSymlink(job: FileJob): Promise<void> {
    const { target, dryRun } = this.#request
    if (dryRun !== true) await target.makeSymlink(job.names, job.entry.target, job.entry)
    this.#counts.symlinks += 1
    this.#progress.file(job.path, 'restored', 0)
  }

  /** Of a file in the way only what differs is fetched; all of it when it cannot be compared. */
  async #restoreFile(job: FileJob, existing: TargetStat | undefined): Promise<void> {
    const comparing = this.#request.dryRun !== true && isWorthComparing(existing, job.entry.size)
    const local = comparing ? await this.#findLocal(job, existing) : undefined
    if (local?.complete !== true) return this.#writeFile({ ...job, local })
    this.#counts.bytesReused += job.entry.size
    if (this.#request.verify === true) this.#written.push(job)
    await this.#guarded(job, () => this.#keep(job, true))
  }

  async #findLocal(job: FileJob, existing: TargetStat): Promise<LocalContent | undefined> {
    const extents = this.#deps.loader.extents(this.#from.vault, job.entry, this.#load)
    const { signal } = this.#options
    try {
      return await findLocalContent({
        ...{ target: this.#request.target, names: job.names, size: job.entry.size },
        ...{ existing, extents, signal },
      })
    } catch (error) {
      signal?.throwIfAborted()
      if (isTwofoldError(error, ...fatal)) throw error
      this.#deps.logger.debug('a file that is there could not be compared', { problem: describeError(error) })
      return undefined
    }
  }

  async #deleteOthers(): Promise<void> {
    const { target, dryRun = false } = this.#request
    const request = {
      ...{ loader: this.#deps.loader, target, from: this.#from, dryRun },
      descend: (path: Uint8Array) => !this.#excludes.matches(path) && this.#mayInclude(path),
      chosen: (path: Uint8Array) => this.#chosen(path),
      onDeleted: (path: Uint8Array, size: number) => {
        this.#counts.deleted += 1
        this.#progress.file(path, 'deleted', size)
      },
      onProblem: (path: Uint8Array, error: TwofoldError) => this.#problem(path, error, false),
    }
    await deleteStrangers(request, { signal: this.#options.signal })
  }

  async #writeFile(job: FileJob): Promise<void> {
    if (this.#request.dryRun === true) {
      this.progressed(job, job.entry.size)
      return this.done(job)
    }
    const key = linkKey(job)
    if (key !== undefined) {
      if (this.#groups.has(key)) return void this.#links.push(job)
      const group: LinkGroup = { first: job, usable: false }
      this.#groups.set(key, group)
      this.#groupOf.set(job, group)
    }
    await this.#files.add(job)
  }

  /** Further names of files: a link where that is possible, otherwise the content once more. */
  async #makeLinks(): Promise<void> {
    for (const job of this.#links) {
      const group = this.#groups.get(linkKey(job) ?? '')
      if (group?.usable === true && (await this.#makeLink(group.first, job))) continue
      await this.#files.add(job)
    }
    await this.#files.flush()
  }

  async #makeLink(first: FileJob, job: FileJob): Promise<boolean> {
    const introduction = 'no hard link could be made, so it is restored as a copy: '
    const made = await this.#guarded(job, () => this.#request.target.makeLink(first.names, job.names), introduction)
    if (!made) return false
    this.#counts.hardLinks += 1
    this.progressed(job, job.entry.size)
    this.done(job)
    return true
  }

  async #verify(): Promise<void> {
    const sink: FileSink = {
      open: (job) => Promise.resolve(new ComparedFile(this.#request.target, job)),
      progressed: (job) => this.#progress.tick(job.path),
      done: () => void (this.#counts.filesVerified += 1),
      failed: (job, error) => this.#problem(job.path, error, true),
    }
    const files = this.#writer(sink, false)
    try {
      for (const job of this.#written) await files.add(job)
      await files.flush()
    } finally {
      await files.discard()
    }
  }

  #writer(sink: FileSink, skipZeros: boolean): FileWriter {
    return new FileWriter({ loader: this.#deps.loader, vault: this.#from.vault, sink, skipZeros, load: this.#load })
  }

  get #load(): LoadOptions {
    return {
      signal: this.#options.signal,
      onWaiting: ({ name }) => this.#progress.waitingFor(name),
      onProblem: ({ node, packId, record, error }) => {
        // One note for each node and kind of problem: a dead node would otherwise be told of once a pack.
        const key = `${node.nodeId} ${error.code}`
        if (this.#reportedNodes.has(key)) return
        this.#reportedNodes.add(key)
        const what = record === undefined ? 'could not be read from' : 'is damaged on'
        this.#progress.note(`pack ${packId.slice(0, 8)} ${what} ${node.name}: ${error.message}; using another copy`)
      },
    }
  }

  #problem(path: Uint8Array, error: TwofoldError, damaged: boolean): void {
    // Who cannot be asked has lost nothing.
    if (damaged) this.#counts[isTwofoldError(error, ...outOfReach) ? 'unreachable' : 'damaged'] += 1
    this.#deps.logger.debug('something could not be restored', { problem: describeError(error) })
    this.#progress.problem(path, 'restore', error.message)
  }

  /** Runs `work` for one entry; its failure is that entry's problem, unless every other one would fail alike. */
  async #guarded(job: FileJob, work: () => Promise<void>, introduction = ''): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      const problem = toTwofoldError(error)
      if (fatal.includes(problem.code)) throw error
      const message = `${introduction}${problem.message}`
      this.#problem(job.path, new TwofoldError(problem.code, message, { cause: problem }), false)
      return false
    }
  }
}

function linkKey({ entry }: FileJob): string | undefined {
  return entry.type === 'file' && entry.links > 1 ? `${entry.device}:${entry.inode}` : undefined
}
