import { TwofoldError } from '../core/errors.ts'
import { chunkKey, toHex } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { treeDepthMax, treesAtOnce } from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'
import type { TreeEntry, TreeNode } from '../format/tree.ts'
import type { ChunkLoader, LoadOptions } from './chunk-loader.ts'
import type { CopyProblem } from './pack-reader.ts'
import { joinPath } from './source-tree.ts'
import { checkTargetName } from './target-name.ts'

/** An entry with its path from the root of the walk: absolute, as bytes. */
export interface ListedEntry extends TreeEntry {
  readonly path: Uint8Array
}

export interface WalkStart {
  readonly loader: ChunkLoader
  readonly vault: string
  readonly tree: ChunkId
  /** Path of the directory whose tree it is. */
  readonly path: Uint8Array
}

export interface WalkOptions extends CallOptions {
  /** Whether to go into a directory; all unless given. */
  readonly descend?: ((path: Uint8Array) => boolean) | undefined
  /** Called for a directory, or a part of one, that cannot be read; without it the walk ends with the error. */
  readonly onMissing?: ((path: Uint8Array, error: TwofoldError) => void) | undefined
  readonly onProblem?: ((problem: CopyProblem) => void) | undefined
  readonly onWaiting?: LoadOptions['onWaiting']
}

interface TreeStep {
  readonly id: ChunkId
  readonly path: Uint8Array
  readonly depth: number
  readonly isPart: boolean
}

interface EntriesStep {
  readonly node: TreeNode
  readonly path: Uint8Array
  readonly depth: number
  at: number
}

type Step = TreeStep | EntriesStep

/**
 * All entries below a directory, each before what is in it, in the order of their names. Trees are fetched about
 * `treesAtOnce` at a time, ahead of the walk, so that the number of round trips does not grow with every directory.
 */
export async function* walkTree(start: WalkStart, options: WalkOptions = {}): AsyncGenerator<ListedEntry> {
  yield* new TreeWalk(start, options).walk()
}

class TreeWalk {
  readonly #start: WalkStart
  readonly #options: WalkOptions
  readonly #ahead = new Map<ChunkKey, TreeNode | TwofoldError>()
  readonly #steps: Step[] = []

  constructor(start: WalkStart, options: WalkOptions) {
    this.#start = start
    this.#options = options
    this.#steps.push({ id: start.tree, path: start.path, depth: 0, isPart: false })
  }

  async *walk(): AsyncGenerator<ListedEntry> {
    for (let step = this.#steps.at(-1); step !== undefined; step = this.#steps.at(-1)) {
      if ('id' in step) {
        await this.#enter(step)
        continue
      }
      const entry = step.node.entries[step.at]
      if (entry === undefined) {
        this.#steps.pop()
        continue
      }
      step.at += 1
      const path = joinPath(step.path, entry.name)
      yield { ...entry, path }
      if (this.#goesInto(entry, path)) this.#steps.push(this.#stepInto(entry, path, step.depth + 1))
    }
  }

  #goesInto(entry: TreeEntry, path: Uint8Array): boolean {
    return entry.type === 'directory' && entry.tree !== undefined && (this.#options.descend?.(path) ?? true)
  }

  #stepInto(entry: TreeEntry, path: Uint8Array, depth: number): TreeStep {
    if (depth > treeDepthMax) {
      throw new TwofoldError('integrity', `the snapshot's directories are nested deeper than ${treeDepthMax} levels`)
    }
    return { id: entry.tree as ChunkId, path, depth, isPart: false }
  }

  /** Puts a tree's entries, or its parts, in the place of the step that names it. */
  async #enter(step: TreeStep): Promise<void> {
    const key = chunkKey(step.id)
    if (!this.#ahead.has(key)) await this.#fetch()
    const node = this.#ahead.get(key) ?? new TwofoldError('internal', `tree ${toHex(step.id)} was not fetched`)
    this.#ahead.delete(key)
    this.#steps.pop()
    const problem = node instanceof TwofoldError ? node : treeProblem(step, node)
    if (problem !== undefined) {
      if (this.#options.onMissing === undefined) throw problem
      this.#options.onMissing(step.path, problem)
    } else if (!(node instanceof TwofoldError)) {
      const { path, depth } = step
      for (const id of node.parts.toReversed()) this.#steps.push({ id, path, depth, isPart: true })
      if (node.parts.length === 0) this.#steps.push({ node, path, depth, at: 0 })
    }
  }

  /** Fetches the trees that the walk comes to next. */
  async #fetch(): Promise<void> {
    // What was fetched and not yet walked stays small, whatever the shape of the snapshot.
    const room = this.#ahead.size > 8 * treesAtOnce ? 1 : treesAtOnce
    const next = new Map<ChunkKey, ChunkId>()
    for (let at = this.#steps.length - 1; at >= 0 && next.size < room; at--) {
      this.#collect(this.#steps[at] as Step, next, room)
    }
    const ids = [...next.values()]
    const missing = (index: number, error: TwofoldError): void => {
      this.#ahead.set(chunkKey(ids[index] as ChunkId), error)
    }
    const { loader, vault } = this.#start
    const { signal, onProblem, onWaiting } = this.#options
    const trees = await loader.loadTrees(vault, ids, { signal, onProblem, onWaiting, onMissing: missing })
    for (const [key, node] of trees) this.#ahead.set(key, node)
  }

  /** Adds the trees below `step` that are not here yet, in the order in which the walk needs them. */
  #collect(step: Step, next: Map<ChunkKey, ChunkId>, room: number): void {
    if (next.size >= room) return
    if (!('id' in step)) {
      for (let at = step.at; at < step.node.entries.length && next.size < room; at++) {
        const entry = step.node.entries[at] as TreeEntry
        if (entry.type !== 'directory') continue
        const path = this.#options.descend === undefined ? step.path : joinPath(step.path, entry.name)
        if (this.#goesInto(entry, path)) this.#collect(this.#stepInto(entry, path, step.depth + 1), next, room)
      }
      return
    }
    const key = chunkKey(step.id)
    const node = this.#ahead.get(key)
    if (node === undefined) next.set(key, step.id)
    if (node === undefined || node instanceof TwofoldError) return
    for (const id of node.parts) if (!step.isPart) this.#collect({ ...step, id, isPart: true }, next, room)
    this.#collect({ node, path: step.path, depth: step.depth, at: 0 }, next, room)
  }
}

/**
 * What is wrong with a tree that was read. Names were checked when it was decoded; they are once more because files are
 * written under them.
 */
function treeProblem(step: TreeStep, node: TreeNode): TwofoldError | undefined {
  if (step.isPart && node.parts.length > 0) {
    return new TwofoldError('integrity', `tree ${toHex(step.id)} is a part of a directory and has parts itself`)
  }
  try {
    for (const { name } of node.entries) checkTargetName(name)
    return undefined
  } catch (error) {
    if (error instanceof TwofoldError) return error
    throw error
  }
}
