import { brokenAnswers, failingDisks } from './mutants-chaos.ts'
import type { Mutant } from './mutants.ts'

/** Rules of nodes, of their disks, and of how bytes get there and back. */
export const storageMutants: readonly Mutant[] = [
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
    name: 'sync-tried-again',
    rule: 'after a failed sync nothing of that file is believed, whatever a second one says, and no more is written',
    chaos: failingDisks,
    patches: [
      {
        file: 'node/pack-draft-file.ts',
        find: '      await file.sync()\n',
        replace: `      for (let tries = 0, synced = false; !synced; tries++) {
        synced = await file.sync().then(() => true, (error) => { if (tries > 2000) throw error; return false })
      }\n`,
      },
      {
        file: 'node/pack-store-files.ts',
        find: "if (this.#problem !== '' || !isTwofoldError(error, 'io')) return",
        replace: 'return',
      },
    ],
  },
  {
    name: 'leftovers-stay',
    rule: 'what was not sealed is removed when a store is opened',
    patches: [
      {
        file: 'node/pack-store-files.ts',
        find: 'for (const { name } of await disk.list(incomingDirectory)) await disk.remove',
        replace: 'for (const { name } of []) await disk.remove',
      },
    ],
  },
  {
    name: 'unverified-on-arrival',
    rule: 'every node checks the hash of every record that it is sent',
    patches: [
      {
        file: 'format/pack-verifier.ts',
        find: 'if (!same(hash, header.storedHash)) throw',
        replace: 'if (false) throw',
      },
    ],
  },
  {
    name: 'unverified-on-restore',
    rule: 'a client checks every chunk that it reads',
    patches: [
      {
        file: 'format/record.ts',
        find: 'if (!same(storedHash, header.storedHash)) throw',
        replace: 'if (false) throw',
      },
      { file: 'format/record.ts', find: 'if (!same(id, expected)) throw', replace: 'if (false) throw' },
    ],
  },
  {
    name: 'unknown-commit-is-rolled-back',
    rule: 'a copy stays as long as nobody knows what became of the commit that it was made for',
    chaos: brokenAnswers,
    patches: [
      {
        file: 'node/upload.ts',
        find: "if (isTwofoldError(error, ...refusals, 'not-enough-nodes', 'no-room', 'overloaded'))\n",
        replace: '',
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
    name: 'damage-kept-quiet',
    rule: 'a copy that turns out to be damaged is put aside and told of',
    patches: [
      {
        file: 'node/custodian.ts',
        find: '    await store.quarantine(packId, putSequence, { problem, foundAtMs })\n',
        replace: '',
      },
    ],
  },
]
