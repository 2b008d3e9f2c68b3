import { failingDisks, lateNodes, lateRequests, olderCatalogues, olderDisks } from './mutants-chaos.ts'
import type { Mutant } from './mutants.ts'

const openOnly = "if (pack.state !== 'open')"
const openOrAbandoned = "if (pack.state !== 'open' && pack.state !== 'abandoned')"

/** Rules of the manager: of sessions, of packs and of what it believes of nodes. */
export const catalogueMutants: readonly Mutant[] = [
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
    name: 'sessions-never-end',
    rule: 'a session whose client is gone ends with its lease',
    patches: [
      {
        file: 'manager/sessions.ts',
        find: 'const expired = context.leases.expired(sessionSweepBatchMax)',
        replace: 'const expired = []',
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
    name: 'decisions-carried-out-twice',
    rule: 'a decision that arrives again, late, does not undo what was decided since',
    chaos: lateRequests,
    patches: [
      {
        file: 'manager/once.ts',
        find: "if (requestId === '') {",
        replace: "if (requestId !== ' ') {",
      },
    ],
  },
  {
    name: 'abandoned-packs-commit',
    rule: 'a pack that was abandoned can never be committed',
    chaos: lateNodes,
    patches: [
      {
        file: 'manager/pack-commit.ts',
        find: "if (pack === undefined || pack.state === 'abandoned' || pack.state === 'deleted') {",
        replace: "if (pack === undefined || pack.state === 'deleted') {",
      },
      { file: 'manager/pack-commit.ts', find: `${openOnly} return\n`, replace: `${openOrAbandoned} return\n` },
      { file: 'manager/pack-commit.ts', find: `${openOnly} return pack`, replace: `${openOrAbandoned} return pack` },
      { file: 'manager/pack-commit.ts', find: `${openOnly} return false`, replace: `${openOrAbandoned} return false` },
    ],
  },
  {
    name: 'no-drop-orders',
    rule: 'whatever a pipeline of an abandoned pack left is removed, by an order or when the node lists it',
    chaos: lateNodes,
    patches: [
      {
        file: 'manager/pack-fate.ts',
        find: 'row === undefined || keep.has(node.nodeId) || row.ref.incarnation !== node.incarnation',
        replace: 'row !== undefined',
      },
      {
        file: 'manager/inventory-entries.ts',
        find: "if (fate === 'needless' && mayDeleteCopies(context, row.ref.nodeId)) {",
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'holders-are-ordered-to-drop',
    rule: 'the nodes whose receipts were accepted keep the pack when its other pipelines are cleared away',
    patches: [{ file: 'manager/pack-fate.ts', find: 'keep.has(node.nodeId) || ', replace: '' }],
  },
  {
    name: 'copies-counted-when-ordered',
    rule: 'a copy counts when its receipt is there, not when it was ordered',
    patches: [
      {
        file: 'manager/copy-orders.ts',
        find: 'return now !== undefined && isSameLook(now, look) ?',
        replace: `if (now === undefined || !isSameLook(now, look)) return undefined
    await tx.copies.put(look.pack.id, { node: target.node, putSequence: 1, provenAtMs: 0 })
    return now !== undefined ?`,
      },
    ],
  },
  {
    name: 'emptied-before-copied',
    rule: 'a node that is emptied gives up a copy when enough others are certain',
    patches: [
      {
        file: 'manager/repair-plan.ts',
        find: '  if (good.length < wanted) {\n',
        replace: `  if (alive.some((node) => !node.keeps && canSend(node) && !node.storeFailed)) return 'surplus'
  if (good.length < wanted) {\n`,
      },
      {
        file: 'manager/repair-plan.ts',
        find: '  if (alive.some((node) => node.keeps && !isCertain(node))) return undefined\n',
        replace: '',
      },
      {
        file: 'manager/repair-plan.ts',
        find: 'if (certain.length >= wanted && leaving[0] !== undefined)',
        replace: 'if (leaving[0] !== undefined)',
      },
    ],
  },
  {
    name: 'last-wanted-copy-given-up',
    rule: 'a copy is only given up of a pack that has more than the vault wants',
    patches: [
      {
        file: 'manager/repair-plan.ts',
        find: "return good.length > wanted || leaving ? 'surplus'",
        replace: "return good.length >= wanted || leaving ? 'surplus'",
      },
      {
        file: 'manager/repair-plan.ts',
        find: 'if (certain.length <= wanted) return undefined',
        replace: 'if (certain.length < wanted) return undefined',
      },
    ],
  },
  {
    name: 'needless-packs-stay',
    rule: 'what a node lists although it was abandoned or deleted is ordered away',
    chaos: failingDisks,
    patches: [
      {
        file: 'manager/inventory-entries.ts',
        find: "if (fate === 'needless' && mayDeleteCopies(context, row.ref.nodeId)) {",
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'no-repair',
    rule: 'what has too few copies gets more',
    patches: [
      { file: 'manager/repair.ts', find: '  await planRepairs(context)\n  return more', replace: '  return more' },
    ],
  },
  {
    name: 'missing-copies-believed',
    rule: 'what a node does not list any more is no copy',
    patches: [
      {
        file: 'manager/inventory-intake.ts',
        find: '  await removeUnlisted(context, row, { report, tally })\n',
        replace: '',
      },
    ],
  },
  {
    name: 'rolled-back-store-believed',
    rule: 'a store that knows less than it was acknowledged for begins a new life',
    chaos: olderDisks,
    patches: [
      {
        file: 'manager/registration.ts',
        find: 'if (incarnation === known.ref.incarnation && request.putSequence < known.putSequence) {',
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'older-catalogue-believed',
    rule: 'a manager that hears of a newer log than its own changes nothing any more',
    chaos: olderCatalogues,
    patches: [
      {
        file: 'manager/lineage.ts',
        find: 'if (position === undefined || this.#isForgiven(position)) continue',
        replace: 'continue',
      },
    ],
  },
  {
    name: 'undelete-without-witnesses',
    rule: 'what was brought back from the trash is told when enough nodes know that',
    chaos: olderCatalogues,
    patches: [
      {
        file: 'client/recorded-decision.ts',
        find: 'if (recordedBy >= wanted) return',
        replace: 'if (recordedBy >= 0) return',
      },
    ],
  },
  {
    name: 'newcomers-count-at-once',
    rule: 'the word of a node that joined counts when those that were there before know of it',
    test: 'sim/older-catalogue.test.ts',
    patches: [
      { file: 'manager/newcomers.ts', find: 'return this.#joined.has(node)', replace: 'return node < 0' },
      { file: 'manager/newcomers.ts', find: 'return this.#joined.size', replace: 'return 0' },
    ],
  },
  {
    name: 'gone-copies-brought-back',
    rule: 'a list of packs does not bring back what went while it was under way',
    test: 'unit/manager/inventory.test.ts',
    patches: [
      {
        file: 'manager/inventory-watch.ts',
        find: 'return putSequence <= (this.#of(node).gone.get(packId) ?? 0)',
        replace: 'return putSequence < 0',
      },
    ],
  },
]
