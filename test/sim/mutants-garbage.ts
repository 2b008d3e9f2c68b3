import type { Mutant } from './mutants.ts'

/** Rules of forgetting, of pruning and of moving chunks. */
export const garbageMutants: readonly Mutant[] = [
  {
    name: 'delete-without-waiting',
    rule: 'a condemned pack is deleted when the sessions are over that may rely on it',
    patches: [
      {
        file: 'manager/gc/delete-packs.ts',
        find: '(await tx.sessions.oldestOpen()) ?? Number.MAX_SAFE_INTEGER',
        replace: 'Number.MAX_SAFE_INTEGER',
      },
      {
        file: 'manager/gc/prune-worker.ts',
        find: '(await tx.sessions.oldestOpen()) ?? Number.MAX_SAFE_INTEGER',
        replace: 'Number.MAX_SAFE_INTEGER',
      },
    ],
  },
  {
    name: 'condemned-packs-found',
    rule: 'a look-up takes the chunks of condemned packs for absent',
    patches: [
      {
        file: 'manager/sound-packs.ts',
        find: 'const doomed = new Set((await tx.packs.notCommitted(unseen)).map((pack) => pack.id))',
        replace: 'const doomed = new Set()',
      },
    ],
  },
  {
    name: 'stale-list-of-the-needed',
    rule: 'what is needed is read again, as far as it changed, in the transaction that condemns',
    patches: [
      {
        file: 'manager/gc/needed-packs.ts',
        find: 'const speaking = [...rows.filter((row) => this.#countsAs(row)), ...checkpoints]',
        replace: 'const speaking = []',
      },
    ],
  },
  {
    name: 'condemned-packs-not-revived',
    rule: 'a snapshot that needs a condemned pack brings it back as it is committed',
    patches: [
      {
        file: 'manager/snapshot-commit.ts',
        find: 'await tx.packs.revive(unchanged ? draft.condemned : await',
        replace: 'void (unchanged ? draft.condemned : await',
      },
    ],
  },
  {
    name: 'trash-is-not-kept',
    rule: 'a forgotten snapshot stays until its time in the trash is over',
    patches: [
      {
        file: 'manager/gc/expire-trash.ts',
        find: 'tx.snapshots.expired(nowMs, gcSnapshotsPerSlice)',
        replace: 'tx.snapshots.expired(Number.MAX_SAFE_INTEGER, gcSnapshotsPerSlice)',
      },
    ],
  },
  {
    name: 'trash-needs-nothing',
    rule: 'what a snapshot in the trash needs is no garbage',
    patches: [
      {
        file: 'manager/gc/prune-run.ts',
        find: 'countsAs: () => true',
        replace: 'countsAs: (row) => row.expiresAtMs === 0',
      },
      {
        file: 'manager/gc/needed-packs.ts',
        find: 'countsAs: (row: { expiresAtMs: number }) => boolean = () => true',
        replace: 'countsAs: (row: { expiresAtMs: number }) => boolean = (row) => row.expiresAtMs === 0',
      },
    ],
  },
  {
    name: 'moves-are-forgotten',
    rule: 'where a chunk was moved to is needed by whatever needs where it was',
    patches: [
      {
        file: 'manager/pack-commit.ts',
        find: '  for (const from of left) await tx.packs.addMove(from, pack.id)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'repack-ignores-what-is-new',
    rule: 'a pack that a snapshot relies on which is newer than the search for live chunks is not given up',
    patches: [{ file: 'manager/gc/finish-repack.ts', find: ' || relied.has(pack.id)', replace: '' }],
  },
]
