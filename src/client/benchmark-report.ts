import type { TwofoldError } from '../core/errors.ts'
import type { NodeInfo } from '../core/model.ts'
import type { Rate, RoundTrip } from './benchmark-timing.ts'

/** What this machine can do. Rates are of plain bytes. */
export interface LocalFigures {
  /** Written in slices; each run of a pack's length ends with an fsync, as on a node. */
  readonly diskWrite: Rate
  /** `cached`: from the system's memory, where it cannot be got around. */
  readonly diskRead: Rate & { readonly cached: boolean }
  readonly hash: Rate
  readonly chunk: Rate
  /** Text-like data. */
  readonly compressible: Rate & { readonly ratio: number }
  /** Random data, which a sample tells apart and which is kept as it is. */
  readonly incompressible: Rate
}

export interface NodeFigures {
  readonly info: NodeInfo
  readonly roundTrip?: RoundTrip
  /** To this node as the primary, which forwards to its replica; without fsync. */
  readonly send?: Rate
  /** Back from this node. */
  readonly receive?: Rate
  /** Why something is missing; empty when nothing is. */
  readonly problem: string
}

/** Packs that were fsynced on `copies` nodes each. */
export interface PipelineFigures extends Rate {
  readonly packs: number
  readonly copies: number
}

export interface ClusterFigures {
  readonly managerRoundTrip: RoundTrip
  readonly nodes: readonly NodeFigures[]
  readonly pipeline: PipelineFigures | TwofoldError
}

export interface BenchmarkReport {
  readonly local: LocalFigures
  /** Undefined when only this machine was measured. */
  readonly cluster: ClusterFigures | undefined
}

/** What a first backup of such data could reach at the most, and what keeps it from more. */
export interface Limit {
  readonly content: 'incompressible' | 'compressible'
  readonly by: 'processor' | 'compression' | 'streaming' | 'durability'
  readonly bytesPerSecond: number
}

/** When packs become durable this much more slowly than they stream, streaming is not what takes the time. */
const durableShare = 0.7

export function isPipelineFigures(pipeline: ClusterFigures['pipeline']): pipeline is PipelineFigures {
  return 'bytesPerSecond' in pipeline
}

/** Whether everything could be measured. */
export function isComplete({ cluster }: BenchmarkReport): boolean {
  if (cluster === undefined) return true
  return isPipelineFigures(cluster.pipeline) && cluster.nodes.every(({ problem }) => problem === '')
}

/**
 * For each kind of content the slowest part of the way. Chunking, hashing and the test of what can be compressed take
 * turns on one processor; compression and the way to the nodes run beside them. Reading the source is not in it.
 */
export function findLimits({ local, cluster }: BenchmarkReport): Limit[] {
  const { chunk, hash, incompressible, compressible } = local
  const ways = (ratio: number): Omit<Limit, 'content'>[] => {
    if (cluster === undefined || !isPipelineFigures(cluster.pipeline)) return []
    const { bytesPerSecond } = cluster.pipeline
    return [{ by: wayLimit(cluster, bytesPerSecond), bytesPerSecond: bytesPerSecond * ratio }]
  }
  const cut = [chunk, hash]
  return [
    {
      content: 'incompressible',
      ...slowest([{ by: 'processor', bytesPerSecond: inTurn([...cut, incompressible]) }, ...ways(1)]),
    },
    {
      content: 'compressible',
      ...slowest([
        { by: 'processor', bytesPerSecond: inTurn(cut) },
        { by: 'compression', bytesPerSecond: compressible.bytesPerSecond },
        ...ways(compressible.ratio),
      ]),
    },
  ]
}

function wayLimit({ nodes }: ClusterFigures, durable: number): Limit['by'] {
  const sent = nodes.flatMap(({ send }) => (send === undefined ? [] : [send.bytesPerSecond]))
  const mean = sent.reduce((sum, rate) => sum + rate, 0) / Math.max(1, sent.length)
  return sent.length === 0 || durable < mean * durableShare ? 'durability' : 'streaming'
}

function slowest(parts: readonly Omit<Limit, 'content'>[]): Omit<Limit, 'content'> {
  return parts.reduce((least, part) => (part.bytesPerSecond < least.bytesPerSecond ? part : least))
}

/** The rate of bytes that go through all of them, one after the other. */
function inTurn(rates: readonly Rate[]): number {
  return 1 / rates.reduce((seconds, { bytesPerSecond }) => seconds + 1 / bytesPerSecond, 0)
}
