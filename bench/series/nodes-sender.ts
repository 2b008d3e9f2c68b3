/**
 * Some of the nodes and sessions of a large cluster, in one process: each node has a connection of its own, registers,
 * and reports every second; each session is renewed as a client does. Says `ready` when all have the log as far as it
 * goes; on SIGTERM it writes as JSON what it saw, and ends.
 *
 * Usage: node nodes-sender.ts MANAGER FIRST COUNT SESSIONS
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials } from '@grpc/grpc-js'
import { heartbeatDeadlineMs, heartbeatIntervalMs, sessionLeaseMs, unaryDeadlineMs } from '../../src/core/limits.ts'
import { ManagerClient, ManagerService } from '../../src/gen/twofold/v1/manager.ts'
import { fromHeartbeat, fromRegister, toStreamedReply } from '../../src/node/convert.ts'
import { callUnary } from '../../src/rpc/calls.ts'
import { Exchange } from '../../src/rpc/exchange.ts'
import { quantile } from '../../src/core/quantile.ts'
import { PaperNode } from './paper-node.ts'

const [address = '', first = '', count = '', sessions = ''] = process.argv.slice(2)
const stopping = new AbortController()
const { signal } = stopping
const latencies: number[] = []
let failures = 0
/** A thousand nodes that join at once are sent a million entries of the log before anything else is. */
const beginDeadlineMs = 120_000
/** Nodes that have not yet got all of the log. */
const behind = new Set<PaperNode>()

/** A connection of its own. */
const connect = (): ManagerClient =>
  new ManagerClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })

/** Repeats until the end; a wait that is cut short is the end. */
async function every(ms: number, firstAfterMs: number, work: () => Promise<void>): Promise<void> {
  let next = performance.now() + firstAfterMs
  while (!signal.aborted) {
    await sleep(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => undefined)
    next = Math.max(next + ms, performance.now())
    try {
      if (!signal.aborted) await work()
    } catch {
      if (!signal.aborted) failures += 1
    }
  }
}

async function runNode(number: number): Promise<() => Promise<void>> {
  const node = new PaperNode(number, randomUUID())
  const client = connect()
  const options = { deadlineMs: beginDeadlineMs, signal }
  behind.add(node)
  const request = fromRegister(node.registration())
  const { registrationNumber } = await callUnary(client, ManagerService.register, request, options)
  const heartbeats = new Exchange({ method: ManagerService.heartbeats, deadlineMs: heartbeatDeadlineMs })
  const beat = async (): Promise<void> => {
    const start = performance.now()
    const heartbeat = fromHeartbeat(node.heartbeat(Number(registrationNumber)))
    const reply = toStreamedReply(await heartbeats.ask(client, { heartbeat }, signal))
    latencies.push(performance.now() - start)
    node.follow(reply)
    if ((reply.logEntries ?? []).length === 0 && behind.delete(node) && behind.size === 0)
      process.stdout.write('ready\n')
  }
  return () => every(heartbeatIntervalMs, Math.random() * heartbeatIntervalMs, beat)
}

async function runSession(number: number): Promise<() => Promise<void>> {
  const client = connect()
  const begin = { vault: '', host: `host${number}`, user: '', paths: [Buffer.from('/a')], fileName: '', parent: '' }
  const request = { ...begin, clientId: randomUUID(), requestId: 'series', noParent: true }
  const { sessionId, sessionToken } = await callUnary(client, ManagerService.beginBackup, request, {
    deadlineMs: beginDeadlineMs,
    signal,
  })
  const renew = async (): Promise<void> => {
    const session = { sessionId, sessionToken }
    await callUnary(client, ManagerService.renewSession, { session }, { deadlineMs: unaryDeadlineMs, signal })
  }
  return () => every(sessionLeaseMs / 3, (Math.random() * sessionLeaseMs) / 3, renew)
}

const loops: (() => Promise<void>)[] = []
for (let n = 0; n < Number(count); n++) loops.push(await runNode(Number(first) + n))
for (let n = 0; n < Number(sessions); n++) loops.push(await runSession(Number(first) + n))
process.on('SIGTERM', () => stopping.abort())
process.on('SIGUSR2', () => {
  latencies.length = 0
  failures = 0
})
const running = Promise.all(loops.map((loop) => loop()))
await running
const result = {
  beats: latencies.length,
  failures,
  p50Ms: quantile(latencies, 0.5),
  p99Ms: quantile(latencies, 0.99),
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
