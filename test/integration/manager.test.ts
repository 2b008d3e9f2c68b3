import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLogger } from '../../src/core/logger.ts'
import type { Logger } from '../../src/core/logger.ts'
import { fromHex, toHex } from '../../src/core/ids.ts'
import { blake3 } from '../../src/format/hash.ts'
import { emptyStats, encodeManifest } from '../../src/format/manifest.ts'
import type { Manifest } from '../../src/format/manifest.ts'
import { createSigner } from '../../src/format/signing.ts'
import { readTicketUnchecked, signReceipt } from '../../src/format/tickets.ts'
import { ManagerClient, ManagerService, NodeState, RecordKind } from '../../src/gen/twofold/v1/manager.ts'
import type { CommitPackRequest, PackEntry, RegisterRequest } from '../../src/gen/twofold/v1/manager.ts'
import { startManager } from '../../src/manager/main.ts'
import { callClientStream, callServerStream, callUnary } from '../../src/rpc/calls.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'
import { expectError } from '../support/expect-error.ts'

const hex = (digit: string): string => digit.repeat(32)
const options = { deadlineMs: 10_000 }
const unary = ManagerService

interface Running {
  readonly address: string
  stop(): Promise<void>
}

describe('the manager over gRPC', () => {
  let directory = ''
  let manager: Running
  let pool: ChannelPool

  const client = (): ManagerClient => pool.client(ManagerClient, manager.address)
  const start = (logger: Logger = silentLogger): Promise<Running> =>
    startManager({ dataDirectory: directory, listen: '127.0.0.1:0', logger })

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-manager-'))
    pool = new ChannelPool({ bulk: false })
    manager = await start()
  })

  afterEach(async () => {
    pool.close()
    await manager.stop()
    rmSync(directory, { recursive: true })
  })

  const signers = [1, 2].map((n) => createSigner(new Uint8Array(32).fill(n)))

  function registerRequest(n: number): RegisterRequest {
    return {
      node: {
        nodeId: hex(`${n}`),
        incarnation: hex('a'),
        name: `n${n}`,
        address: `127.0.0.1:${7400 + n}`,
        failureDomain: '',
      },
      bootId: hex(`${n + 4}`),
      bootNumber: 1n,
      capacityBytes: 10n ** 12n,
      usedBytes: 0n,
      publicKey: signers[n - 1]?.publicKey ?? new Uint8Array(),
      putSequence: 0n,
      clusterId: '',
      programVersion: 'test',
    }
  }

  async function addNodes(): Promise<void> {
    for (const n of [1, 2]) {
      const request = registerRequest(n)
      const { registrationNumber } = await callUnary(client(), unary.register, request, options)
      const heartbeat = {
        nodeId: hex(`${n}`),
        incarnation: hex('a'),
        registrationNumber,
        bootId: request.bootId,
        sequence: 1n,
        capacityBytes: 10n ** 12n,
        usedBytes: 0n,
        freeBytes: 10n ** 12n,
        packs: 0n,
        putSequence: 0n,
        inventoryDigest: new Uint8Array(32),
        uploads: 0,
        writable: true,
        problem: '',
        results: [],
        damaged: [],
        proven: [],
        storeFailed: false,
      }
      const reply = await callUnary(client(), unary.heartbeat, heartbeat, options)
      expect(reply.state).to.equal(NodeState.UP)
    }
  }

  it('carries a whole backup', async () => {
    await addNodes()
    const begin = {
      clientId: hex('c'),
      requestId: 'r',
      vault: '',
      host: 'laptop',
      user: 'ada',
      paths: [Buffer.from('/home')],
      fileName: '',
      parent: '',
      noParent: false,
    }
    const session = await callUnary(client(), unary.beginBackup, begin, options)
    expect(session.vaultId).to.have.length(16)
    const data = blake3(Buffer.from('data'))
    const tree = blake3(Buffer.from('tree'))
    const manifest = encodeManifest({
      version: 1,
      tree,
      host: 'laptop',
      user: 'ada',
      paths: begin.paths,
      tags: [],
      timeNs: 1n,
      parent: '',
      sessionId: session.sessionId,
      stats: emptyStats,
      program: 'test',
      fileName: '',
      vault: session.vault,
      excludes: [],
    } as unknown as Manifest)
    const snapshot = blake3(manifest)
    const record = { offset: 0, length: 500, plainLength: 900 }
    const entries: PackEntry[] = [
      { ...record, chunkId: data, kind: RecordKind.DATA, refs: new Uint8Array() },
      { ...record, offset: 500, chunkId: tree, kind: RecordKind.TREE, refs: data },
      { ...record, offset: 1000, chunkId: snapshot, kind: RecordKind.SNAPSHOT, refs: tree },
    ]
    const allocation = await callUnary(
      client(),
      unary.allocatePack,
      { session, requestId: 'p', lengthBytes: 2000n, excludeNodeIds: [], primaryNodeId: '' },
      options,
    )
    expect(allocation.replicas).to.have.length(1)
    const ticket = allocation.ticket ?? { claims: new Uint8Array(), signature: new Uint8Array() }
    const claims = readTicketUnchecked(ticket)
    const receipts = [claims.primary, ...claims.replicas].map((node) => {
      const signer = signers[Number(node.name.slice(1)) - 1] ?? createSigner(new Uint8Array(32))
      const { packId, sessionId } = claims
      const { nodeId, incarnation } = node
      const rest = { putSequence: 1, lengthBytes: 2000, digest: new Uint8Array(32), durableAtMs: 5 }
      return signReceipt({ packId, sessionId, nodeId, incarnation, ...rest }, signer)
    })
    async function* messages(): AsyncGenerator<CommitPackRequest> {
      yield { part: { $case: 'header', value: { ticket, receipts } } }
      for (const entry of entries) yield { part: { $case: 'batch', value: { entries: [entry] } } }
    }
    await callClientStream(client(), ManagerService.commitPack, messages())
    await callClientStream(client(), ManagerService.commitPack, messages())
    const lookup = { session, chunkIds: [data, blake3(Buffer.from('other'))] }
    expect((await callUnary(client(), unary.lookupChunks, lookup, options)).present).to.deep.equal([true, false])

    const commit = { session, snapshotId: toHex(snapshot), manifest }
    const committed = await callUnary(client(), unary.commitSnapshot, commit, options)
    expect(committed.snapshot?.durability).to.include({ copies: 2, copiesWanted: 2, packs: 1 })
    const where = await callUnary(client(), unary.locateChunks, { vault: '', chunkIds: lookup.chunkIds }, options)
    expect(where.chunks.map((chunk) => chunk.pack)).to.deep.equal([1, 0])
    expect(where.packs[0]?.nodes.map((node) => node.name)).to.have.members(['n1', 'n2'])

    await manager.stop()
    manager = await start()
    const found = await callUnary(client(), unary.getSnapshot, { reference: 'latest' }, options)
    expect(found.snapshot?.snapshotId).to.equal(toHex(snapshot))
    expect(found.snapshot?.durability?.copies).to.equal(2)
    const page = { pageSize: 10, pageToken: '' }
    const packs = await callUnary(client(), unary.listSnapshotPacks, { snapshotId: toHex(snapshot), ...page }, options)
    expect(packs.packs[0]?.copies.map((copy) => copy.state)).to.deep.equal([NodeState.JOINING, NodeState.JOINING])
    const history = await callUnary(client(), unary.listHistory, { kind: 'backup', ...page }, options)
    expect(history.operations.map((operation) => operation.result)).to.deep.equal(['ok'])
    const status = await callUnary(client(), unary.getStatus, {}, options)
    expect(status).to.include({ safeMode: true, snapshots: 1n, packs: 1n, epoch: 2n })
    expect(fromHex(status.clusterId)).to.have.length(16)
  })

  it('says what is wrong with a request', async () => {
    const call = { session: { sessionId: 'x', sessionToken: '' }, chunkIds: [] }
    await expectError(callUnary(client(), unary.lookupChunks, call, options), 'invalid-argument')
    await expectError(callUnary(client(), unary.renewSession, {}, options), 'invalid-argument')
    const session = { sessionId: hex('a'), sessionToken: '' }
    await expectError(callUnary(client(), unary.renewSession, { session }, options), 'session-ended')
    const chunkIds = Array.from({ length: 8193 }, () => new Uint8Array(32))
    await expectError(callUnary(client(), unary.locateChunks, { vault: '', chunkIds }, options), 'invalid-argument')
    const short = { vault: '', chunkIds: [new Uint8Array(31)] }
    await expectError(callUnary(client(), unary.locateChunks, short, options), 'invalid-argument')
    const empty = { ...registerRequest(1), capacityBytes: 0n }
    await expectError(callUnary(client(), unary.register, empty, options), 'invalid-argument')
    const huge = { ...registerRequest(1), capacityBytes: 2n ** 64n - 1n }
    await expectError(callUnary(client(), unary.register, huge, options), 'invalid-argument')
    await expectError(callUnary(client(), unary.getSnapshot, { reference: 'latest' }, options), 'not-found')
  })

  it('refuses a commit that does not begin with its header', async () => {
    async function* none(): AsyncGenerator<CommitPackRequest> {
      // Nothing at all.
    }
    async function* batch(): AsyncGenerator<CommitPackRequest> {
      yield { part: { $case: 'batch', value: { entries: [] } } }
    }
    await expectError(callClientStream(client(), ManagerService.commitPack, none()), 'invalid-argument')
    await expectError(callClientStream(client(), ManagerService.commitPack, batch()), 'invalid-argument')
  })

  it('does not wait for who watches when it stops, and says that it does', async () => {
    await manager.stop()
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (words) => void warnings.push(words), child: () => logger }
    manager = await start(logger)
    const watched = callServerStream(client(), unary.watchCluster, { resumeToken: '' })
    expect((await watched.next()).done).to.equal(false)
    const stopped = manager.stop()
    const told = async (): Promise<void> => {
      while ((await watched.next()).done !== true);
    }
    await expectError(told(), 'unavailable')
    await stopped
    expect(warnings, 'nothing had to be broken off').to.deep.equal([])
  })

  it('has its data directory to itself', async () => {
    await expectError(start(), 'failed-precondition')
  })
})
