import type { SeededRandom } from '../support/seeded-random.ts'
import type { Direction } from './fault-proxy.ts'

/** Everything that the script does to a cluster. What is here more than once is drawn as often. */
export const faultKinds = [
  'kill',
  'kill',
  'pause',
  'pause',
  'restart',
  'power',
  'kill-client',
  'partition',
  'partition',
  'slow',
  'narrow',
  'reset',
  'half-close',
  'cut',
  'flip',
  'fill',
  'shrink',
  'corrupt',
  'corrupt',
  'corrupt',
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  readonly kind: FaultKind
  /** A process, a link, a client or a disk; `all` for a power failure. */
  readonly on: string
  readonly atMs: number
  /** How long it lasts; 0 for what is over at once. */
  readonly forMs: number
  /** Of faults of a link; both unless given. */
  readonly direction?: Direction
  /** Bytes before a cut or flip, bytes/s of a narrow link, bytes left of a disk, ms of a slow link or doomed client. */
  readonly amount: number
}

export interface Cast {
  readonly nodes: readonly string[]
  readonly clients: readonly string[]
  /** Links by which bytes of packs travel, which are checked at every hop. */
  readonly dataLinks: readonly string[]
  readonly controlLinks: readonly string[]
  /** Nodes with a disk of limited size. */
  readonly fillable: readonly string[]
}

export interface ScriptOptions {
  readonly random: SeededRandom
  readonly durationMs: number
  readonly cast: Cast
}

/** From one fault to the next. They overlap: most last longer than this. */
const gapMs = { least: 300, most: 1500 }
const directions: readonly Direction[] = ['up', 'down']
/** After a process came back, until it may be hit again. */
const restMs = 1000

/** A disk may rot whatever its node does at that time, also while it is down. */
const diskOf = (node: string): string => `disk-of-${node}`
export const nodeOfDisk = (disk: string): string => disk.replace(/^disk-of-/, '')

interface Shape {
  readonly on: (cast: Cast) => readonly string[]
  readonly forMs: readonly [least: number, most: number]
  readonly amount: readonly [least: number, most: number]
}

const none = [0, 0] as const
const servers = ({ nodes }: Cast): string[] => ['manager', ...nodes]
const links = ({ dataLinks, controlLinks }: Cast): string[] => [...dataLinks, ...controlLinks]

/** On what, how long, how much. A pause and a partition may outlast what the manager takes for silence. */
const shapes: Readonly<Record<FaultKind, Shape>> = {
  kill: { on: servers, forMs: [100, 6000], amount: none },
  pause: { on: servers, forMs: [300, 9000], amount: none },
  restart: { on: servers, forMs: [0, 1500], amount: none },
  power: { on: () => ['all'], forMs: [200, 2000], amount: none },
  'kill-client': { on: ({ clients }) => clients, forMs: none, amount: [0, 1500] },
  partition: { on: links, forMs: [500, 10_000], amount: none },
  slow: { on: links, forMs: [2000, 8000], amount: [5, 300] },
  narrow: { on: ({ dataLinks }) => dataLinks, forMs: [2000, 8000], amount: [200_000, 5_000_000] },
  reset: { on: links, forMs: none, amount: none },
  'half-close': { on: links, forMs: none, amount: none },
  cut: { on: links, forMs: [2000, 6000], amount: [0, 400_000] },
  // Only where everything is hashed: TCP has a checksum of its own, and TLS a better one, for what control calls say.
  flip: { on: ({ dataLinks }) => dataLinks, forMs: [2000, 6000], amount: [0, 2_000_000] },
  fill: { on: ({ fillable }) => fillable, forMs: [1500, 8000], amount: [0, 80_000_000] },
  shrink: { on: ({ nodes }) => nodes, forMs: [2000, 8000], amount: [0, 20_000_000] },
  // Always the same node: one copy of each pack stays good, also while nobody knows of the other, and none is lost.
  corrupt: { on: ({ nodes }) => nodes.slice(0, 1).map(diskOf), forMs: none, amount: [0, 1_000_000] },
}

/**
 * Which fault happens when. The same for the same seed. No process is hit twice at a time, and no link; else anything
 * may meet anything. Kinds come from a deck, so that each has its turn. All is over after `durationMs`.
 */
export function writeScript({ random, durationMs, cast }: ScriptOptions): Fault[] {
  const freeAtMs = new Map<string, number>()
  const deck: FaultKind[] = []
  const faults: Fault[] = []
  let atMs = 0
  for (;;) {
    atMs += Math.round(between(random, gapMs.least, gapMs.most))
    const kind = draw(deck, random)
    // A power failure waits until nothing else happens to any process; there is always a free one for the others.
    if (kind === 'power') atMs = Math.max(atMs, ...servers(cast).map((name) => freeAtMs.get(name) ?? 0))
    if (atMs >= durationMs) return faults
    const candidates = shapes[kind].on(cast).filter((name) => (freeAtMs.get(name) ?? 0) <= atMs)
    const fault = shape({ kind, on: pick(candidates, random), atMs, random, cast })
    if (fault === undefined) continue
    const endMs = atMs + fault.forMs
    // What would outlast the script does not begin; something shorter may.
    if (endMs > durationMs) continue
    for (const name of touchedBy(fault, cast)) freeAtMs.set(name, endMs + restMs)
    faults.push(fault)
  }
}

function draw(deck: FaultKind[], random: SeededRandom): FaultKind {
  if (deck.length === 0) deck.push(...faultKinds)
  const [kind = 'kill'] = deck.splice(Math.floor(random.fraction() * deck.length), 1)
  return kind
}

function pick<T>(candidates: readonly T[], random: SeededRandom): T | undefined {
  return candidates[Math.floor(random.fraction() * candidates.length)]
}

interface Shaping {
  readonly kind: FaultKind
  readonly on: string | undefined
  readonly atMs: number
  readonly random: SeededRandom
  readonly cast: Cast
}

function shape({ kind, on, atMs, random, cast }: Shaping): Fault | undefined {
  const { forMs, amount } = shapes[kind]
  const lasts = Math.round(between(random, ...forMs))
  const much = Math.round(between(random, ...amount))
  // A half-close, a cut and a flip are always of one direction.
  const ways = ['half-close', 'cut', 'flip'].includes(kind) ? directions : [...directions, undefined]
  const way = pick(ways, random)
  if (on === undefined) return undefined
  const direction = way !== undefined && links(cast).includes(on) ? { direction: way } : {}
  return { kind, on, atMs, forMs: lasts, amount: much, ...direction }
}

function between(random: SeededRandom, least: number, most: number): number {
  return least + (most - least) * random.fraction()
}

/** Processes, links or clients that a fault has for itself while it lasts. */
export function touchedBy({ on }: Fault, cast: Cast): string[] {
  return on === 'all' ? servers(cast) : [on]
}
