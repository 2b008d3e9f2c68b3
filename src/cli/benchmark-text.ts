import { findLimits, isComplete, isPipelineFigures } from '../client/index.ts'
import type {
  BenchmarkReport,
  ClusterFigures,
  Limit,
  LocalFigures,
  NodeFigures,
  Rate,
  RoundTrip,
} from '../client/index.ts'
import { formatBytes, plural } from '../core/human-format.ts'
import { safeText } from '../core/safe-text.ts'
import { renderTable } from './table.ts'

const limitedBy: Readonly<Record<Limit['by'], string>> = {
  processor: 'chunking and hashing on this machine',
  compression: 'compression on this machine',
  streaming: 'streaming to the nodes and between them',
  durability: 'making packs durable on the nodes (fsync there, and its round trips)',
}

const contents: Readonly<Record<Limit['content'], string>> = {
  incompressible: 'random data, as in media and archives',
  compressible: 'text-like data',
}

/** One object. Rates are bytes a second of plain data, times milliseconds. */
export function benchmarkRecord(report: BenchmarkReport, run: { directory: string; seconds: number }): object {
  const { local, cluster } = report
  const { diskWrite, diskRead, hash, chunk, compressible, incompressible } = local
  return {
    message_type: 'benchmark',
    complete: isComplete(report),
    seconds: run.seconds,
    local: {
      disk_write: { directory: run.directory, ...rateRecord(diskWrite) },
      disk_read: { directory: run.directory, ...rateRecord(diskRead), cached: diskRead.cached },
      hash: rateRecord(hash),
      chunk: rateRecord(chunk),
      compress_text: { ...rateRecord(compressible), ratio: compressible.ratio },
      compress_random: rateRecord(incompressible),
    },
    cluster: cluster === undefined ? null : clusterRecord(cluster),
    limits: findLimits(report).map(({ content, by, bytesPerSecond }) => ({
      content,
      limited_by: by,
      bytes_per_second: Math.round(bytesPerSecond),
    })),
  }
}

function clusterRecord({ managerRoundTrip, nodes, pipeline }: ClusterFigures): object {
  return {
    manager: { round_trip: roundTripRecord(managerRoundTrip) },
    nodes: nodes.map(({ info, roundTrip, send, receive, problem }) => ({
      name: info.node.name,
      id: info.node.nodeId,
      address: info.node.address,
      state: info.state,
      round_trip: roundTrip === undefined ? null : roundTripRecord(roundTrip),
      send: send === undefined ? null : rateRecord(send),
      receive: receive === undefined ? null : rateRecord(receive),
      problem,
    })),
    pipeline: isPipelineFigures(pipeline)
      ? { ...rateRecord(pipeline), packs: pipeline.packs, copies: pipeline.copies, problem: '' }
      : { problem: pipeline.message },
  }
}

function rateRecord({ bytes, seconds, bytesPerSecond }: Rate): object {
  return { bytes, seconds, bytes_per_second: Math.round(bytesPerSecond) }
}

function roundTripRecord({ calls, medianMs, p99Ms }: RoundTrip): object {
  return { calls, median_ms: medianMs, p99_ms: p99Ms }
}

export function benchmarkLines(report: BenchmarkReport, directory: string): string[] {
  const { local, cluster } = report
  const rows = [...localRows(local, directory), ...(cluster === undefined ? [] : clusterRows(cluster))]
  const columns = [{ title: 'What' }, { title: 'Figure', align: 'right' as const }, { title: 'Unit' }, { title: 'How' }]
  return [...renderTable(columns, rows), '', ...findLimits(report).map((limit) => limitLine(limit, cluster))]
}

type Row = readonly [what: string, figure: string, unit: string, how: string]

function localRows(local: LocalFigures, directory: string): Row[] {
  const { diskWrite, diskRead, hash, chunk, compressible, incompressible } = local
  return [
    rateRow('disk, write', diskWrite, `${formatBytes(diskWrite.bytes)} with fsync, in ${safeText(directory)}`),
    rateRow(
      'disk, read',
      diskRead,
      diskRead.cached ? 'from the memory of the system' : 'past the memory of the system',
    ),
    rateRow('hash', hash, 'BLAKE3'),
    rateRow('chunking', chunk, 'content-defined'),
    rateRow('compression, text', compressible, `zstd, to ${(100 / compressible.ratio).toFixed(0)} % of its length`),
    rateRow('compression, random', incompressible, 'kept as it is, after a sample'),
  ]
}

function clusterRows({ managerRoundTrip, nodes, pipeline }: ClusterFigures): Row[] {
  const sent = isPipelineFigures(pipeline)
    ? rateRow('pipeline', pipeline, `${plural(pipeline.packs, 'pack')}, fsynced on ${plural(pipeline.copies, 'node')}`)
    : missingRow('pipeline', pipeline.message)
  return [roundTripRow('manager', managerRoundTrip), ...nodes.flatMap(nodeRows), sent]
}

function nodeRows({ info, roundTrip, send, receive, problem }: NodeFigures): Row[] {
  const name = safeText(info.node.name)
  return [
    ...(roundTrip === undefined ? [] : [roundTripRow(name, roundTrip)]),
    ...(send === undefined ? [] : [rateRow(`${name}, send`, send, 'one stream, replicated, without fsync')]),
    ...(receive === undefined ? [] : [rateRow(`${name}, receive`, receive, 'one stream, a pack read back')]),
    ...(problem === '' ? [] : [missingRow(name, problem)]),
  ]
}

function rateRow(what: string, { bytesPerSecond }: Rate, how: string): Row {
  return [what, formatFigure(bytesPerSecond / 1e6), 'MB/s', how]
}

function roundTripRow(what: string, { calls, medianMs, p99Ms }: RoundTrip): Row {
  const how = `median of ${plural(calls, 'call')}, p99 ${formatFigure(p99Ms)} ms`
  return [`${what}, round trip`, formatFigure(medianMs), 'ms', how]
}

function missingRow(what: string, problem: string): Row {
  return [what, '-', '', safeText(problem)]
}

function limitLine({ content, by, bytesPerSecond }: Limit, cluster: ClusterFigures | undefined): string {
  const whole = cluster !== undefined && isPipelineFigures(cluster.pipeline)
  const what = whole ? `A first backup of ${contents[content]}` : `This machine alone, for ${contents[content]}`
  return `${what}: about ${formatFigure(bytesPerSecond / 1e6)} MB/s, limited by ${limitedBy[by]}.`
}

/** Three digits that matter. */
function formatFigure(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}
