/** A change of the program's text. `find` must be there exactly once: no mutant outlives the rule that it removes. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** One rule of the protocol taken away, wherever it is held. */
export interface Mutant {
  readonly name: string
  /** What is true as long as the rule is held. */
  readonly rule: string
  readonly patches: readonly Patch[]
}

export const mutants: readonly Mutant[] = [
  {
    name: 'ack-before-fsync',
    rule: 'a pack is synced before anybody is told that it is durable',
    patches: [{ file: 'node/pack-draft-file.ts', find: '      await file.sync()\n', replace: '' }],
  },
  {
    name: 'no-directory-sync',
    rule: 'the name of a pack is synced, too',
    patches: [
      {
        file: 'node/pack-store-files.ts',
        find: '        await this.#disk.syncDirectory(shelfOf(pack.packId))\n      } catch',
        replace: '      } catch',
      },
    ],
  },
  {
    name: 'silent-single-copy',
    rule: 'nothing is committed with fewer than `min copies` copies',
    patches: [
      { file: 'manager/pack-commit.ts', find: 'copies.length < vault.minCopies', replace: 'copies.length < 1' },
      {
        file: 'node/upload.ts',
        find: 'if (delivered.length + 1 < claims.minCopies) throw tooFew(claims, outcomes)',
        replace: '',
      },
      { file: 'manager/snapshot-commit.ts', find: 'if (weak.length === 0) return doomed', replace: 'return doomed' },
    ],
  },
  {
    name: 'commit-ignores-lease',
    rule: 'a session whose lease ran out, or that was given up, commits nothing',
    patches: [
      {
        file: 'manager/session-guard.ts',
        find: "if (session.state === 'open' && context.leases.alive(session.sessionId)) return",
        replace: "if (session.state !== 'committed') return",
      },
    ],
  },
  {
    name: 'no-request-ids',
    rule: 'a call that arrives twice has one effect',
    patches: [
      {
        file: 'manager/sessions.ts',
        find: 'if (known !== undefined) {\n    requireSameRequest',
        replace: 'if (known === undefined && false) {\n    requireSameRequest',
      },
    ],
  },
  {
    name: 'abandoned-packs-commit',
    rule: 'a pack that was abandoned can never be committed',
    patches: [
      {
        file: 'manager/pack-commit.ts',
        find: "if (pack === undefined || pack.state === 'abandoned' || pack.state === 'deleted') {",
        replace: 'if (pack === undefined) {',
      },
    ],
  },
  {
    name: 'no-drop-orders',
    rule: 'whatever a pipeline of an abandoned pack left is removed',
    patches: [
      {
        file: 'manager/pack-fate.ts',
        find: 'row === undefined || keep.has(node.nodeId) || row.ref.incarnation !== node.incarnation',
        replace: 'row !== undefined',
      },
    ],
  },
  {
    name: 'delete-without-waiting',
    rule: 'a condemned pack is deleted when the sessions are over that may rely on it',
    patches: [
      {
        file: 'manager/gc/delete-packs.ts',
        find: '(await tx.sessions.oldestOpen()) ?? Number.MAX_SAFE_INTEGER',
        replace: 'Number.MAX_SAFE_INTEGER',
      },
    ],
  },
  {
    name: 'condemn-what-is-uploaded',
    rule: 'what an open session has uploaded is not garbage',
    patches: [{ file: 'manager/gc/condemn.ts', find: "session?.state !== 'open'", replace: 'session !== undefined' }],
  },
  {
    name: 'delete-what-is-needed',
    rule: 'what is condemned, and what is deleted, is decided in the transaction that does it',
    patches: [
      { file: 'manager/gc/condemn.ts', find: ' || wanted.has(row.id)', replace: '' },
      { file: 'manager/gc/delete-packs.ts', find: 'rows.filter((row) => !wanted.has(row.id))', replace: 'rows' },
      { file: 'manager/gc/delete-packs.ts', find: '    await tx.packs.revive([...wanted])\n', replace: '' },
    ],
  },
]
