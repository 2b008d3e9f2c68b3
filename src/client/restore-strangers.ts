import { toTwofoldError } from '../core/errors.ts'
import type { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { CallOptions } from '../core/model.ts'
import { ignoreFileBytesMax } from '../core/request-limits.ts'
import { cacheTagName, createExcludes } from './excludes.ts'
import type { Excludes } from './excludes.ts'
import { ignoreFileName, IgnoreRules } from './ignore-rules.ts'
import type { ChunkLoader } from './chunk-loader.ts'
import type { RestoreTarget, TargetPath, TargetStat } from './restore-target.ts'
import { rootPath, splitNames } from './snapshot-path.ts'
import type { SnapshotDirectory } from './snapshot-tree.ts'
import { joinPath } from './source-tree.ts'
import { walkTree } from './tree-walker.ts'

export interface StrangersRequest {
  readonly loader: ChunkLoader
  readonly target: RestoreTarget
  readonly from: SnapshotDirectory
  readonly dryRun: boolean
  /** Whether the restore goes into a directory. */
  readonly descend: (path: Uint8Array) => boolean
  /** Whether something would have been restored, had it been in the snapshot. */
  readonly chosen: (path: Uint8Array) => boolean
  readonly onDeleted: (path: Uint8Array, size: number) => void
  readonly onProblem: (path: Uint8Array, error: TwofoldError) => void
}

interface OpenDirectory {
  readonly path: Uint8Array
  readonly depth: number
  readonly names: Set<string>
  /** What ignore files in the target say of it. */
  readonly ignore: IgnoreRules | undefined
}

/**
 * Deletes from the target what the snapshot does not have, when all that it has is restored. Only in directories of
 * which the snapshot has everything: those at and below the paths that were backed up. What the backup was told to
 * leave out stays, and so does everything in a directory that could not be read from the snapshot.
 */
export async function deleteStrangers(request: StrangersRequest, options: CallOptions): Promise<void> {
  await new Strangers(request, options).run()
}

class Strangers {
  readonly #request: StrangersRequest
  readonly #options: CallOptions
  /** From the root to where the walk is. */
  readonly #way: OpenDirectory[] = []
  /** Directories of which a part could not be read. */
  readonly #unread = new Set<string>()
  readonly #paths: readonly string[]
  /** What the backup was told to leave out. */
  readonly #rules: RecordedRules

  constructor(request: StrangersRequest, options: CallOptions) {
    this.#request = request
    this.#options = options
    const { paths, excludes } = request.from.snapshot.manifest
    this.#paths = paths.map((path) => asBuffer(path).toString('latin1'))
    this.#rules = readRules(excludes)
  }

  async run(): Promise<void> {
    const { loader, from, descend } = this.#request
    const { vault, tree } = from
    const walk = walkTree(
      { loader, vault, tree, path: rootPath },
      { signal: this.#options.signal, descend, onMissing: (path) => void this.#unread.add(keyOf(path)) },
    )
    this.#way.push({ path: rootPath, depth: 0, names: new Set(), ignore: await this.#ignoreRules(rootPath) })
    for await (const entry of walk) {
      this.#options.signal?.throwIfAborted()
      const depth = splitNames(entry.path).length
      await this.#leaveTo(depth)
      this.#way.at(-1)?.names.add(keyOf(entry.name))
      const open = entry.type === 'directory' && entry.tree !== undefined && descend(entry.path)
      if (!open) continue
      const ignore = await this.#ignoreRules(entry.path)
      this.#way.push({ path: entry.path, depth, names: new Set(), ignore })
    }
    await this.#leaveTo(0)
  }

  /** The walk goes on beside or above these. */
  async #leaveTo(depth: number): Promise<void> {
    for (let last = this.#way.at(-1); last !== undefined && last.depth >= depth; last = this.#way.at(-1)) {
      this.#way.pop()
      await this.#clear(last)
    }
  }

  /** What an ignore file says that is in the target, beside those above it. */
  async #ignoreRules(path: Uint8Array): Promise<IgnoreRules | undefined> {
    const { target } = this.#request
    const above = this.#way.at(-1)?.ignore
    const file = [...splitNames(path), Buffer.from(ignoreFileName)]
    if ((await target.stat(file))?.type !== 'file') return above
    const text = Buffer.alloc(ignoreFileBytesMax)
    const length = await target.readFile(file, text, 0)
    return length === text.length ? above : new IgnoreRules(path, text.toString('utf8', 0, length), above)
  }

  async #clear({ path, names, ignore }: OpenDirectory): Promise<void> {
    if (this.#unread.has(keyOf(path)) || !this.#isWhole(path)) return
    if (this.#rules.markers.some((marker) => names.has(marker))) return
    const place = splitNames(path)
    await this.#guarded(path, async () => {
      if ((await this.#request.target.stat(place))?.type !== 'directory') return
      for (const name of await this.#request.target.list(place)) {
        const child = joinPath(path, name)
        if (names.has(keyOf(name)) || !this.#request.chosen(child)) continue
        await this.#delete(child, { place: [...place, name], ignore })
      }
    })
  }

  /** Whether the snapshot has all that was in the directory. */
  #isWhole(path: Uint8Array): boolean {
    const full = keyOf(this.#inSnapshot(path))
    return this.#paths.some((saved) => full === saved || full.startsWith(saved === '/' ? '/' : `${saved}/`))
  }

  /** The path that something below the restored directory has in the snapshot. */
  #inSnapshot(path: Uint8Array): Uint8Array {
    const { path: base } = this.#request.from
    if (base.length === 1) return path
    return path.length === 1 ? base : Buffer.concat([asBuffer(base), asBuffer(path)])
  }

  /** @returns whether it is gone, so that the directory above it may go, too. */
  async #delete(path: Uint8Array, where: Where): Promise<boolean> {
    const { place } = where
    this.#options.signal?.throwIfAborted()
    const { target, dryRun, onDeleted } = this.#request
    let gone = false
    await this.#guarded(path, async () => {
      const stat = await target.stat(place)
      if (stat === undefined) return
      if (this.#isLeftOut(path, stat, where)) return
      if (stat.type === 'directory' && !(await this.#empty(path, where))) return
      if (!dryRun) await target.remove(place)
      gone = true
      onDeleted(path, sizeOf(stat))
    })
    return gone
  }

  /** Whether nothing is left in a directory that is to go. */
  async #empty(path: Uint8Array, { place, ignore }: Where): Promise<boolean> {
    let empty = true
    for (const name of await this.#request.target.list(place)) {
      if (!(await this.#delete(joinPath(path, name), { place: [...place, name], ignore }))) empty = false
    }
    return empty
  }

  /** Whether the backup would not have saved it. */
  #isLeftOut(path: Uint8Array, { type, size }: TargetStat, { ignore }: Where): boolean {
    const as = type === 'directory' ? 'directory' : 'file'
    if (ignore?.ignores(path, as) === true) return true
    return this.#rules.excludes(this.#inSnapshot(path), { type: as, inCacheDirectory: false, size })
  }

  async #guarded(path: Uint8Array, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      this.#request.onProblem(path, toTwofoldError(error))
    }
  }
}

interface Where {
  readonly place: TargetPath
  /** What ignore files say of the folder that it is in. */
  readonly ignore: IgnoreRules | undefined
}

interface RecordedRules {
  readonly excludes: Excludes
  /** Names of files beside which everything was left out (latin1). */
  readonly markers: readonly string[]
}

/** What a manifest says was left out: patterns, and other rules as the options that they were. */
function readRules(recorded: readonly string[]): RecordedRules {
  const of = (option: string): string[] =>
    recorded.filter((rule) => rule.startsWith(`${option}=`)).map((rule) => rule.slice(option.length + 1))
  const largerThan = Math.min(...of('--exclude-larger-than').map(Number).filter(Number.isFinite))
  const present = of('--exclude-if-present').map((rule) => rule.split(':', 1)[0] ?? '')
  const markers = [...present, ...(recorded.includes('--exclude-caches') ? [cacheTagName] : [])]
  const excludes = createExcludes({
    patterns: recorded.filter((rule) => !rule.startsWith('--') && rule.trim() !== ''),
    ignoreCasePatterns: of('--iexclude'),
    largerThan,
  })
  return { excludes, markers: markers.map((name) => Buffer.from(name).toString('latin1')) }
}

function keyOf(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1')
}

function sizeOf({ type, size }: TargetStat): number {
  return type === 'file' ? size : 0
}
