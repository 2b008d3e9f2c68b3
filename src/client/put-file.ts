import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { toHex } from '../core/ids.ts'
import { fileNameBytesMax } from '../core/limits.ts'
import type { SessionRef } from '../core/messages.ts'
import type { CallOptions, FileRecord, Snapshot } from '../core/model.ts'
import { blake3 } from '../format/hash.ts'
import { decodeManifest } from '../format/manifest.ts'
import { encodeTree } from '../format/tree.ts'
import type { BackupDeps } from './backup-request.ts'
import { inSession } from './backup-session.ts'
import type { RunningSession } from './backup-session.ts'
import { storeContent } from './file-saver.ts'
import { allPages } from './paged.ts'
import { persistently } from '../core/persistently.ts'
import { streamEntry, streamSource } from './stream-source.ts'
import { commitAndWitness } from './witness-commit.ts'

export interface PutFileRequest {
  /** 1 to 1024 bytes of UTF-8, no NUL. */
  readonly name: string
  readonly vault?: string | undefined
  /** Makes a repeated call harmless: it answers with the version that the first one made. */
  readonly requestId?: string | undefined
}

/** The one name in the root tree of a version of a file. */
export const fileContentName = 'content'

/**
 * Stores a new version of a named file and resolves when it is committed.
 * @throws as `runBackup`; `invalid-argument` for a bad name. No version was made then.
 */
export async function runPutFile(
  deps: BackupDeps,
  request: PutFileRequest,
  content: AsyncIterable<Uint8Array>,
  options: CallOptions = {},
): Promise<FileRecord> {
  checkFileName(request.name)
  const { name, vault = '', requestId = '' } = request
  const begin = {
    vault,
    host: deps.hostName,
    user: deps.userName,
    paths: [],
    fileName: name,
    parent: '',
    noParent: true,
  }
  const identity = requestId === '' ? {} : repeatable(request, requestId)
  let session: SessionRef | undefined
  try {
    return await inSession(deps, { begin: { ...begin, ...identity }, options }, (running) => {
      session = running.session
      return storeVersion(deps, { name, content }, running)
    })
  } catch (error) {
    if (requestId === '' || session === undefined || !isTwofoldError(error, 'session-ended')) throw error
    const made = await findVersion(deps, { name, vault, sessionId: session.sessionId }, options)
    if (made?.snapshot === undefined) throw error
    await witnessAgain(deps, session, made.snapshot, options)
    return made
  }
}

async function storeVersion(
  deps: BackupDeps,
  file: { name: string; content: AsyncIterable<Uint8Array> },
  { writer }: RunningSession,
): Promise<FileRecord> {
  const timeNs = BigInt(Math.round(deps.clock.nowMs())) * 1_000_000n
  const content = await writer.reader.content(streamSource(file.content), { sparse: false })
  writer.stats.filesNew = 1
  writer.stats.totalBytes = content.size
  const entry = streamEntry(fileContentName, await storeContent(content, writer.trees), deps.clock)
  const tree = await writer.trees.add(encodeTree({ entries: [entry], parts: [] }))
  const snapshot = await writer.commit({
    tree,
    timeNs,
    host: deps.hostName,
    user: deps.userName,
    paths: [],
    tags: [],
    parent: '',
    fileName: file.name,
    excludes: [],
  })
  return {
    name: file.name,
    version: snapshot.fileVersion,
    deleted: false,
    createdAtMs: snapshot.committedAtMs,
    snapshot,
  }
}

/** The first call may have ended before enough nodes had recorded its commit. */
async function witnessAgain(
  deps: BackupDeps,
  session: SessionRef,
  { snapshotId, manifest }: Snapshot,
  { signal }: CallOptions,
): Promise<void> {
  const { manager, clock, random } = deps
  const request = { session, snapshotId, manifest }
  const keep = { clock, random, signal }
  await commitAndWitness(deps, () => persistently(() => manager.commitSnapshot(request, { signal }), keep), signal)
}

/** @throws TwofoldError `invalid-argument` for a name that no file can have */
export function checkFileName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes >= 1 && bytes <= fileNameBytesMax && !name.includes('\0')) return
  throw new TwofoldError('invalid-argument', `a file's name must have 1 to ${fileNameBytesMax} bytes and no NUL`)
}

/** The same session for the same request, whichever process it comes to: the name stands in for the process. */
function repeatable(request: PutFileRequest, requestId: string): { clientId: string; requestId: string } {
  const what = JSON.stringify(['put', request.vault ?? '', request.name, requestId])
  const digest = toHex(blake3(Buffer.from(what)))
  return { clientId: digest.slice(0, 32), requestId: digest.slice(32) }
}

/** The version that an earlier call made in the same session. */
async function findVersion(
  deps: BackupDeps,
  wanted: { name: string; vault: string; sessionId: string },
  options: CallOptions,
): Promise<FileRecord | undefined> {
  const { manager, clock, random } = deps
  const { name, vault, sessionId } = wanted
  const keep = { clock, random, signal: options.signal }
  const request = { vault, name, prefix: '', version: 0 }
  const versions = allPages((page) =>
    persistently(() => manager.listFileVersions({ ...request, ...page }, options), keep),
  )
  for await (const version of versions) {
    const { snapshot } = version
    if (snapshot !== undefined && decodeManifest(snapshot.manifest).sessionId === sessionId) return version
  }
  return undefined
}
