import type { Client } from '../client/index.ts'
import { silentLogger } from '../core/logger.ts'
import { TwofoldError } from '../core/errors.ts'
import type { Candidate, ClusterWord, ScheduleWord } from './candidate.ts'
import type { Cli } from './cli.ts'
import type { ClusterOptions } from './command-setup.ts'
import { formatTime } from '../core/human-format.ts'
import { isUtf8 } from '../core/safe-text.ts'
import type { Schedule } from '../core/schedules.ts'
import { timingText } from '../core/schedule-words.ts'
import { connectFrom } from './with-client.ts'

export interface WordsRequest {
  readonly options: ClusterOptions
  readonly cli: Cli
  readonly patienceMs: number
}

/** So many snapshots are looked at. */
const snapshotsMax = 2000
const filesMax = 200
const schedulesMax = 1000

/** All words of a kind. @throws TwofoldError when the cluster does not answer in time */
export async function clusterWords(
  kind: ClusterWord,
  { options, cli, patienceMs }: WordsRequest,
): Promise<Candidate[]> {
  const late = new AbortController()
  const client = await connectFrom({ options, cli }, { logger: silentLogger, userName: '' })
  const over = cli.clock.sleep(patienceMs, late.signal).then(() => {
    late.abort(new TwofoldError('deadline-exceeded', 'nobody waits that long'))
  })
  // It ends with an abort when the words were there before.
  over.catch(() => undefined)
  try {
    return await words[kind](client, { vault: options.vault ?? '', signal: late.signal })
  } finally {
    late.abort(new TwofoldError('cancelled', 'the words are there'))
    client.close()
  }
}

interface Asking {
  readonly vault: string
  readonly signal: AbortSignal
}

type Look = (client: Client, asking: Asking) => Promise<Candidate[]>

const scheduleWords: Readonly<Record<ScheduleWord, Look>> = {
  schedule: async (client, asking) => {
    const found = await schedules(client, asking)
    // By what people know it by, and by its id for those who begin with that.
    const named = found.flatMap((each) => pathOf(each).map((path) => ({ ...each, name: `${each.spec.agent}:${path}` })))
    return [
      ...named.map(({ name, spec }) => ({ value: name, about: timingText(spec) })),
      ...found.map(({ scheduleId, spec }) => ({ value: scheduleId.slice(0, 8), about: `of agent ${spec.agent}` })),
    ]
  },
  'schedule-path': async (client, asking) => unique((await schedules(client, asking)).flatMap(pathOf)),
  agent: async (client, { signal }) => {
    const agents = await client.schedules.agents({ signal })
    return agents.map(({ name, connected }) => ({ value: name, about: connected ? 'connected' : 'away' }))
  },
}

const words: Readonly<Record<ClusterWord, Look>> = {
  ...scheduleWords,
  snapshot: async (client, asking) => {
    const found = await snapshots(client, asking)
    return found.map(({ shortId, manifest }) => {
      const paths = manifest.paths.map((path) => Buffer.from(path).toString('utf8')).join(' ')
      return { value: shortId, about: `${formatTime(Number(manifest.timeNs / 1_000_000n))} ${manifest.host} ${paths}` }
    })
  },
  host: async (client, asking) => unique((await snapshots(client, asking)).map(({ manifest }) => manifest.host)),
  tag: async (client, asking) => unique((await snapshots(client, asking)).flatMap(({ manifest }) => manifest.tags)),
  path: async (client, asking) => {
    const paths = (await snapshots(client, asking)).flatMap(({ manifest }) => manifest.paths)
    return unique(paths.map((path) => Buffer.from(path).toString('utf8')))
  },
  node: async (client, { signal }) => {
    const nodes = await client.nodes({ signal })
    return nodes.map(({ node, state }) => ({ value: node.name, about: state }))
  },
  file: async (client, { vault, signal }) => {
    const { items } = await client.listFiles({ vault, pageSize: filesMax }, { signal })
    return items.map(({ name }) => ({ value: name, about: '' }))
  },
}

type Snapshots = Awaited<ReturnType<Client['resolve']>>[]

/** The newest last. */
async function snapshots(client: Client, { vault, signal }: Asking): Promise<Snapshots> {
  const found: Snapshots = []
  for await (const snapshot of client.snapshots({ vault }, { signal })) {
    if (snapshot.manifest.fileName === '') found.push(snapshot)
    if (found.length === snapshotsMax) break
  }
  return found
}

async function schedules(client: Client, { signal }: Asking): Promise<Schedule[]> {
  const found: Schedule[] = []
  for await (const schedule of client.schedules.list({}, { signal })) {
    found.push(schedule)
    if (found.length === schedulesMax) break
  }
  return found
}

/** The path, where it is text that can be typed. */
function pathOf({ spec }: Schedule): string[] {
  return isUtf8(spec.path) ? [Buffer.from(spec.path).toString()] : []
}

function unique(values: readonly string[]): Candidate[] {
  return [...new Set(values)].sort().map((value) => ({ value, about: '' }))
}
