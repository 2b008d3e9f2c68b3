import type { LogRow } from '../../src/manager/catalogue-rows.ts'
import { expect } from 'chai'
import type { PackId, SessionId } from '../../src/core/ids.ts'
import type { PackEntry } from '../../src/core/model.ts'
import type { Catalogue, CatalogueWriter } from '../../src/manager/catalogue.ts'
import { encodePackSet } from '../../src/manager/pack-set.ts'
import { aNode, aSession, aSnapshot, hex, id32 } from '../support/catalogue-rows.ts'
import { expectError } from '../support/expect-error.ts'

export interface CatalogueDriver {
  /** A new, empty catalogue. */
  open(): Promise<Catalogue>
  /** What is there after the process ended, for drivers that keep anything. */
  reopen?: (catalogue: Catalogue) => Promise<Catalogue>
}

const text = (value: string): Uint8Array => Buffer.from(value)

async function addVault(tx: CatalogueWriter): Promise<number> {
  await tx.vaults.add({ name: 'default', vaultId: id32(1).subarray(0, 16), copies: 2, minCopies: 2 })
  return (await tx.vaults.byName('default'))?.id ?? 0
}

interface Base {
  readonly vault: number
  readonly session: number
  readonly pack: number
}

async function addBase(tx: CatalogueWriter): Promise<Base> {
  const vault = await addVault(tx)
  await tx.sessions.add(aSession(vault, 1))
  const session = (await tx.sessions.find(hex(1) as SessionId))?.id ?? 0
  const pack = await tx.packs.add({ packId: hex(7) as PackId, vault, session, requestId: 'r', lengthBytes: 100 })
  return { vault, session, pack }
}

/** The sentences of the port's contract, on any driver. */
export function testCatalogue(name: string, driver: CatalogueDriver): void {
  describe(`the catalogue contract, ${name}`, () => {
    let catalogue: Catalogue

    beforeEach(async () => {
      catalogue = await driver.open()
    })

    afterEach(async () => {
      await catalogue.close()
    })

    describe('transactions', () => {
      it('keep what a write did', async () => {
        const answer = await catalogue.write(async (tx) => {
          await tx.settings.set('a', text('1'))
          return 42
        })
        expect(answer).to.equal(42)
        const value = await catalogue.read((tx) => tx.settings.get('a'))
        expect(Buffer.from(value ?? []).toString()).to.equal('1')
      })

      it('leave nothing of a write that throws, and reject with its error', async () => {
        const failure = new Error('on purpose')
        const outcome = await catalogue
          .write(async (tx) => {
            await addBase(tx)
            await tx.settings.set('a', text('1'))
            throw failure
          })
          .catch((error: unknown) => error)
        expect(outcome).to.equal(failure)
        const left = await catalogue.read(async (tx) => [await tx.settings.get('a'), await tx.vaults.all()])
        expect(left).to.deep.equal([undefined, []])
      })

      it('keep the others of a group when one throws', async () => {
        const outcomes = await Promise.allSettled(
          [0, 1, 2, 3, 4].map((index) =>
            catalogue.write(async (tx) => {
              await tx.settings.set(`k${index}`, text('x'))
              if (index % 2 === 1) throw new Error('odd')
            }),
          ),
        )
        expect(outcomes.map((outcome) => outcome.status)).to.deep.equal([
          'fulfilled',
          'rejected',
          'fulfilled',
          'rejected',
          'fulfilled',
        ])
        const kept = await catalogue.read(async (tx) => {
          const values = []
          for (let index = 0; index < 5; index++) values.push((await tx.settings.get(`k${index}`)) !== undefined)
          return values
        })
        expect(kept).to.deep.equal([true, false, true, false, true])
      })

      it('never let a read see what is not committed', async () => {
        let seen: Promise<Uint8Array | undefined> | undefined
        const write = catalogue.write(async (tx) => {
          await tx.settings.set('a', text('1'))
          seen = catalogue.read((other) => other.settings.get('a'))
          for (let turn = 0; turn < 100; turn++) await Promise.resolve()
          await tx.settings.set('a', text('2'))
          throw new Error('never mind')
        })
        await write.catch(() => undefined)
        expect(await seen).to.equal(undefined)
      })

      it('run one after the other', async () => {
        await catalogue.write((tx) => tx.settings.set('n', text('0')))
        const increment = (): Promise<void> =>
          catalogue.write(async (tx) => {
            const value = Number(Buffer.from((await tx.settings.get('n')) ?? []).toString())
            await Promise.resolve()
            await tx.settings.set('n', text(String(value + 1)))
          })
        await Promise.all(Array.from({ length: 200 }, increment))
        const value = await catalogue.read((tx) => tx.settings.get('n'))
        expect(Buffer.from(value ?? []).toString()).to.equal('200')
      })

      it('end what is in progress before closing, and refuse what comes later', async () => {
        const write = catalogue.write((tx) => tx.settings.set('a', text('1')))
        await catalogue.close()
        await write
        await expectError(
          catalogue.read((tx) => tx.settings.get('a')),
          'unavailable',
        )
      })
    })

    describe('tables', () => {
      it('know nodes by id, and their boots for ever', async () => {
        const rows = await catalogue.write(async (tx) => {
          const first = await tx.nodes.put(aNode(1, 'n1'))
          const again = await tx.nodes.put({ ...aNode(1, 'n1'), bootId: hex(901), registrationNumber: 2 })
          await tx.nodes.raisePutSequence(first.id, 9)
          await tx.nodes.raisePutSequence(first.id, 5)
          return { first, again, found: await tx.nodes.find(first.ref.nodeId), old: await tx.nodes.boot(first.bootId) }
        })
        expect(rows.again.id).to.equal(rows.first.id)
        expect(rows.found?.putSequence).to.equal(9)
        expect(rows.found?.ref).to.deep.equal(rows.first.ref)
        expect(rows.old).to.include({ node: rows.first.id, registrationNumber: 1 })
      })

      it('give sessions back as they were', async () => {
        const found = await catalogue.write(async (tx) => {
          const vault = await addVault(tx)
          await tx.sessions.add({ ...aSession(vault, 1), paths: [Buffer.from([0xff, 0x0a]), text('/b')] })
          await tx.sessions.add(aSession(vault, 2))
          const second = await tx.sessions.find(hex(2) as SessionId)
          await tx.sessions.finish(second?.id ?? 0, 'committed', 'ab')
          return { one: await tx.sessions.byRequest('client', 'request-1'), open: await tx.sessions.open() }
        })
        expect(found.one?.paths.map((path) => Buffer.from(path))).to.deep.equal([
          Buffer.from([0xff, 0x0a]),
          Buffer.from('/b'),
        ])
        expect(found.one?.state).to.equal('open')
        expect(found.open).to.deep.equal([hex(1)])
      })

      it('follow a pack through its pipelines to its end', async () => {
        const ticket = { claims: text('claims'), signature: text('signature') }
        const result = await catalogue.write(async (tx) => {
          const { session, pack } = await addBase(tx)
          await tx.packs.addGeneration(pack, 1, { failedNodeId: '', ticket })
          await tx.packs.addGeneration(pack, 2, { failedNodeId: hex(5), ticket })
          const open = await tx.packs.openOfSession(session)
          await tx.packs.settle(pack, { state: 'committed', lengthBytes: 90 })
          return {
            open,
            after: await tx.packs.find(hex(7) as PackId),
            none: await tx.packs.open(),
            generations: await tx.packs.generations(pack),
            byIds: await tx.packs.byIds([pack, 999]),
            forgotten: await tx.packs.forgetPipelines(session).then(() => tx.packs.generations(pack)),
          }
        })
        expect(result.open).to.have.length(1)
        expect(result.after).to.include({ state: 'committed', lengthBytes: 90, generation: 2, requestId: 'r' })
        expect(result.none).to.deep.equal([])
        expect(result.generations.map((row) => [row.generation, row.failedNodeId])).to.deep.equal([
          [1, ''],
          [2, hex(5)],
        ])
        expect(result.byIds.map((row) => row?.packId)).to.deep.equal([hex(7), undefined])
        expect(result.forgotten).to.deep.equal([])
      })

      it('count copies on the nodes that count, and forget those of a node', async () => {
        const result = await catalogue.write(async (tx) => {
          const { pack, vault } = await addBase(tx)
          await tx.packs.settle(pack, { state: 'committed', lengthBytes: 90 })
          const one = await tx.nodes.put(aNode(1, 'n1'))
          const two = await tx.nodes.put(aNode(2, 'n2'))
          await tx.copies.add(pack, { node: one.id, putSequence: 3, provenAtMs: 50 })
          await tx.copies.add(pack, { node: two.id, putSequence: 4, provenAtMs: 60 })
          const both = await tx.packs.countByCopies([one.id, two.id], { after: 0, upTo: pack })
          const none = await tx.packs.countByCopies([], { after: 0, upTo: pack })
          const outside = [
            await tx.packs.countByCopies([one.id], { after: pack, upTo: pack + 1 }),
            await tx.packs.countByCopies([one.id], { after: 0, upTo: pack - 1 }),
          ]
          const newest = await tx.packs.newestId()
          const before = await tx.copies.version()
          const dropped = await tx.copies.dropNode(one.id)
          return {
            vault,
            both,
            none,
            outside,
            newest: newest - pack,
            dropped,
            left: await tx.copies.of([pack, 999]),
            inRange: await tx.copies.inRange({ after: pack - 1, upTo: pack }),
            beside: [
              ...(await tx.copies.inRange({ after: pack, upTo: pack + 9 })),
              ...(await tx.copies.inRange({ after: 0, upTo: pack - 1 })),
            ],
            pack,
            two,
            before,
            after: await tx.copies.version(),
          }
        })
        const counted = ({ counts, open }: typeof result.both): unknown => [counts.map((row) => ({ ...row })), open]
        expect(counted(result.both)).to.deep.equal([[{ vault: result.vault, copies: 2, packs: 1 }], false])
        expect(counted(result.none)).to.deep.equal([[{ vault: result.vault, copies: 0, packs: 1 }], false])
        for (const range of result.outside) expect(counted(range)).to.deep.equal([[], false])
        expect(result.newest).to.equal(0)
        expect(result.dropped).to.equal(1)
        expect(result.left.map((rows) => rows.map((row) => row.node))).to.deep.equal([[result.two.id], []])
        const listed = result.inRange.map((row) => ({ ...row }))
        expect(listed).to.deep.equal([{ pack: result.pack, node: result.two.id, provenAtMs: 60 }])
        expect(result.beside).to.deep.equal([])
        expect(result.after).not.to.equal(result.before)
      })

      it('find chunks in the order asked for, and move them', async () => {
        const entry = (n: number, more: Partial<PackEntry> = {}): PackEntry => ({
          chunkId: id32(n),
          kind: 'data',
          offset: n,
          length: 10,
          plainLength: 20,
          refs: new Uint8Array(),
          ...more,
        })
        const result = await catalogue.write(async (tx) => {
          const { vault, session, pack } = await addBase(tx)
          await tx.chunks.put(vault, pack, [entry(1), entry(2, { kind: 'tree', refs: id32(1) })])
          const found = await tx.chunks.find(vault, [id32(2), id32(3), id32(1)])
          const elsewhere = await tx.chunks.find(vault + 1, [id32(1)])
          const second = await tx.packs.add({
            packId: hex(8) as PackId,
            vault,
            session,
            requestId: 's',
            lengthBytes: 1,
          })
          await tx.chunks.put(vault, second, [entry(1, { offset: 500, length: 11 })])
          const moved = await tx.chunks.find(vault, [id32(1)])
          return { found, elsewhere, moved, second, refs: await tx.chunks.refs(vault, [id32(1), id32(2)]) }
        })
        expect(result.found.map((row) => row?.kind)).to.deep.equal(['tree', undefined, 'data'])
        expect(result.elsewhere).to.deep.equal([undefined])
        expect(result.moved[0]).to.include({ pack: result.second, offset: 500, length: 11, plainLength: 20 })
        expect(result.refs.map((refs) => refs && Buffer.from(refs))).to.deep.equal([undefined, Buffer.from(id32(1))])
      })

      it('know the chunks of a pack, and forget them with it', async () => {
        const entry = (n: number, kind: PackEntry['kind'] = 'data'): PackEntry => {
          const refs = kind === 'data' ? new Uint8Array() : id32(n - 1)
          return { chunkId: id32(n), kind, offset: 1000 - n, length: 10, plainLength: 20, refs }
        }
        const result = await catalogue.write(async (tx) => {
          const { vault, session, pack } = await addBase(tx)
          const rest = { vault, session, lengthBytes: 1 }
          const other = await tx.packs.add({ ...rest, packId: hex(8) as PackId, requestId: 's' })
          await tx.chunks.put(vault, pack, [entry(1), entry(2, 'tree'), entry(3)])
          await tx.chunks.put(vault, pack, [entry(4)])
          await tx.chunks.put(vault, other, [entry(3), entry(5, 'tree')])
          const [tree, none] = await tx.chunks.treeNumbers(vault, [id32(2), id32(1)])
          const ofPack = await tx.chunks.ofPack(vault, pack)
          const refs = await tx.chunks.refsByNumber([tree ?? 0, 999])
          const removed = await tx.chunks.removePack(vault, pack)
          return {
            ...{ ofPack, none, refs, removed },
            after: [await tx.chunks.ofPack(vault, pack), await tx.chunks.refsByNumber([tree ?? 0])],
            left: await tx.chunks.find(vault, [1, 2, 3, 4, 5].map(id32)),
            leftRefs: await tx.chunks.refs(vault, [id32(2), id32(5)]),
          }
        })
        expect(result.ofPack.map(({ chunkId, kind }) => [Buffer.from(chunkId).readUInt32BE(), kind])).to.deep.equal([
          [4, 'data'],
          [2, 'tree'],
          [1, 'data'],
        ])
        expect(result.none).to.equal(undefined)
        expect(result.refs.map((refs) => refs && Buffer.from(refs))).to.deep.equal([Buffer.from(id32(1)), undefined])
        expect(result.removed).to.equal(3)
        expect(result.after).to.deep.equal([[], [undefined]])
        expect(result.left.map((row) => row !== undefined)).to.deep.equal([false, false, true, false, true])
        expect(result.leftRefs.map((refs) => refs !== undefined)).to.deep.equal([false, true])
      })

      it('condemn, revive and bury packs', async () => {
        const result = await catalogue.write(async (tx) => {
          const { vault, session, pack } = await addBase(tx)
          const rest = { vault, session, lengthBytes: 1 }
          const other = await tx.packs.add({ ...rest, packId: hex(8) as PackId, requestId: 's' })
          const third = await tx.packs.add({ ...rest, packId: hex(9) as PackId, requestId: 't' })
          for (const id of [pack, other]) await tx.packs.settle(id, { state: 'committed', lengthBytes: 70 })
          const before = await tx.copies.version()
          await tx.packs.condemn([pack, other, third], 5)
          const condemned = [
            await tx.packs.condemned(5, 9),
            await tx.packs.condemned(6, 9),
            await tx.packs.condemned(6, 1),
          ]
          const total = await tx.packs.condemnedTotal()
          await tx.packs.revive([other, third])
          await tx.packs.bury(pack)
          await tx.packs.bury(other)
          const states = (await tx.packs.page(0, 9)).map((row) => row.state)
          const notCommitted = (await tx.packs.notCommitted([pack, other, third, 999])).map((row) => row.id)
          const version = { before, after: await tx.copies.version() }
          const page = (await tx.packs.page(pack, 1)).map((row) => row.id)
          return { pack, other, third, condemned, total, states, notCommitted, version, page }
        })
        expect(result.condemned.map((rows) => rows.map((row) => row.id))).to.deep.equal([
          [],
          [result.pack, result.other],
          [result.pack],
        ])
        expect({ ...result.total }).to.deep.equal({ packs: 2, lengthBytes: 140 })
        expect(result.states).to.deep.equal(['deleted', 'committed', 'open'])
        expect(result.notCommitted.sort()).to.deep.equal([result.pack, result.third])
        expect(result.version.after).not.to.equal(result.version.before)
        expect(result.page).to.deep.equal([result.other])
      })

      it('remember where chunks were moved to, and pass that on', async () => {
        const result = await catalogue.write(async (tx) => {
          const { vault, session, pack: a } = await addBase(tx)
          const add = (n: number): Promise<number> =>
            tx.packs.add({ packId: hex(n) as PackId, requestId: `${n}`, vault, session, lengthBytes: 1 })
          const [b, c] = [await add(8), await add(9)]
          await tx.packs.addMove(a, b)
          await tx.packs.addMove(b, c)
          const first = await tx.packs.newestMove()
          await tx.packs.addMove(a, b)
          const again = await tx.packs.newestMove()
          const later = await tx.packs.moves(first, 9)
          const version = await tx.packs.setsVersion()
          await tx.packs.passMovesOn(b)
          const changed = (await tx.packs.setsVersion()) !== version
          const to = [await tx.packs.movedTo(a), await tx.packs.movedTo(b)]
          await tx.packs.settle(b, { state: 'committed', lengthBytes: 1 })
          await tx.packs.condemn([b], 1)
          await tx.packs.bury(b)
          return { a, b, c, grew: again > first, later, changed, to, end: await tx.packs.movedTo(b) }
        })
        expect(result.grew && result.changed).to.equal(true)
        expect(result.later.map(({ from, to }) => [from, to])).to.deep.equal([[result.a, result.b]])
        expect(result.to).to.deep.equal([[result.c], [result.c]])
        expect(result.end).to.deep.equal([])
      })

      it('put snapshots into the trash, and remove them for good', async () => {
        const result = await catalogue.write(async (tx) => {
          const vault = await addVault(tx)
          const [one = 0, two = 0] = [
            await tx.snapshots.add(aSnapshot(vault, 1)),
            await tx.snapshots.add(aSnapshot(vault, 2)),
          ]
          const { snapshotId } = aSnapshot(vault, 2)
          await tx.snapshots.setExpiry(two, 500)
          await tx.snapshots.setPin(one, 'why')
          await tx.snapshots.setTags(one, ['a', 'b'])
          const all = { vault, host: '', limit: 10, from: 0, order: 'oldest-first' } as const
          const trashed = {
            live: (await tx.snapshots.page(all)).map((row) => [row.commitSequence, row.pin, row.tags]),
            trash: (await tx.snapshots.page({ ...all, trash: true })).map((row) => row.expiresAtMs),
            newest: (await tx.snapshots.newest(vault, 'host', text('paths')))?.commitSequence,
            early: await tx.snapshots.expired(499, 9),
            due: (await tx.snapshots.expired(500, 9)).map((row) => row.commitSequence),
            sets: (await tx.snapshots.sets(0, 9)).map((row) => [row.commitSequence, row.expiresAtMs]),
            count: (await tx.snapshots.summary()).count,
          }
          const version = await tx.packs.setsVersion()
          await tx.snapshots.setPacks(one, encodePackSet([7]))
          const changed = (await tx.packs.setsVersion()) !== version
          await tx.snapshots.remove(two, 600)
          const gone = [await tx.snapshots.find(snapshotId), await tx.snapshots.packs(two)]
          const removedAtMs = await tx.snapshots.removedAtMs(snapshotId)
          return { one, two, trashed, changed, gone, removedAtMs, kept: await tx.snapshots.packs(one) }
        })
        const { one, two, trashed } = result
        expect(trashed.live).to.deep.equal([[one, 'why', ['a', 'b']]])
        expect(trashed).to.deep.include({ trash: [500], newest: one, early: [], due: [two], count: 1 })
        expect(trashed.sets).to.deep.equal([
          [one, 0],
          [two, 500],
        ])
        expect(result.gone).to.deep.equal([undefined, undefined])
        expect(result.removedAtMs).to.equal(600)
        expect(result.changed).to.equal(true)
        expect(Buffer.from(result.kept ?? [])).to.deep.equal(Buffer.from(encodePackSet([7])))
      })

      it('find the same before, during and after upkeep', async () => {
        const entry = (n: number): PackEntry => {
          return { chunkId: id32(n), kind: 'data', offset: n, length: 10, plainLength: 20, refs: new Uint8Array() }
        }
        const entries = Array.from({ length: 5000 }, (_, n) => entry(2 * n))
        const { vault, pack } = await catalogue.write(async (tx) => {
          const base = await addBase(tx)
          await tx.chunks.put(base.vault, base.pack, entries)
          return base
        })
        let there = 5000
        const asked = Array.from({ length: 10_200 }, (_, n) => id32(n))
        const check = async (): Promise<void> => {
          const found = await catalogue.read((tx) => tx.chunks.find(vault, asked))
          expect(found.map((row) => row?.offset)).to.deep.equal(
            asked.map((_, n) => (n % 2 === 0 && n / 2 < there ? n : undefined)),
          )
        }
        await check()
        for (let more = true; more;) {
          more = await catalogue.upkeep()
          await catalogue.write((tx) => tx.chunks.put(vault, pack, [entry(2 * there)]))
          there += 1
          await check()
        }
        expect(await catalogue.upkeep()).to.equal(false)
      })

      it('order snapshots by their commit, whatever the clock says', async () => {
        const result = await catalogue.write(async (tx) => {
          const vault = await addVault(tx)
          const sequences = []
          for (const n of [5, 3, 9]) {
            sequences.push(await tx.snapshots.add({ ...aSnapshot(vault, n), committedAtMs: 1000 - n }))
          }
          await tx.snapshots.add({ ...aSnapshot(vault, 70), fileName: 'f', fileVersion: 1 })
          const all = { vault, host: '', limit: 10 }
          return {
            sequences,
            oldest: await tx.snapshots.page({ ...all, from: 0, order: 'oldest-first' }),
            newest: await tx.snapshots.page({ ...all, from: 1e9, order: 'newest-first', limit: 1 }),
            other: await tx.snapshots.page({ ...all, host: 'elsewhere', from: 0, order: 'oldest-first' }),
            parent: await tx.snapshots.newest(vault, 'host', text('paths')),
            prefix: await tx.snapshots.byPrefix(vault, aSnapshot(vault, 3).snapshotId.slice(0, 8), 2),
            packs: await tx.snapshots.packs(sequences[1] ?? 0),
            summary: await tx.snapshots.summary(),
          }
        })
        expect(result.sequences).to.deep.equal(result.sequences.toSorted((a, b) => a - b))
        expect(result.oldest.map((row) => row.commitSequence)).to.deep.equal(result.sequences)
        expect(result.newest[0]?.commitSequence).to.equal(result.sequences[2])
        expect(result.other).to.deep.equal([])
        expect(result.parent?.commitSequence).to.equal(result.sequences[2])
        expect(result.prefix.map((row) => row.commitSequence)).to.deep.equal([result.sequences[1]])
        expect(Buffer.from(result.packs ?? [])).to.deep.equal(Buffer.from(encodePackSet([3])))
        expect({ ...result.summary }).to.deep.equal({ count: 3, newestAtMs: 997 })
      })

      it('list the newest version of each file that is not deleted', async () => {
        const result = await catalogue.write(async (tx) => {
          const vault = await addVault(tx)
          let n = 100
          const put = async (name: string, version: number): Promise<void> => {
            const commitSequence = await tx.snapshots.add({
              ...aSnapshot(vault, n++),
              fileName: name,
              fileVersion: version,
            })
            await tx.files.add(vault, { name, version, createdAtMs: n, commitSequence })
          }
          await put('a', 1)
          await put('a', 2)
          await put('b', 1)
          await tx.files.add(vault, { name: 'b', version: 2, createdAtMs: 1, commitSequence: 0 })
          await put('dir/x', 1)
          await put('dir/y', 1)
          return {
            all: await tx.files.list(vault, '', { after: '', limit: 10 }),
            prefix: await tx.files.list(vault, 'dir/', { after: 'dir/x', limit: 10 }),
            versions: await tx.files.versions(vault, 'b', { before: 99, limit: 10 }),
            newest: await tx.files.newest(vault, 'a'),
          }
        })
        expect(result.all.map((row) => `${row.name} ${row.version}`)).to.deep.equal(['a 2', 'dir/x 1', 'dir/y 1'])
        expect(result.prefix.map((row) => row.name)).to.deep.equal(['dir/y'])
        expect(result.versions.map((row) => [row.version, row.deleted])).to.deep.equal([
          [2, true],
          [1, false],
        ])
        expect(result.newest?.snapshot?.fileVersion).to.equal(2)
      })

      it('keep orders until they are carried out', async () => {
        const result = await catalogue.write(async (tx) => {
          const node = await tx.nodes.put(aNode(1, 'n1'))
          const action = {
            kind: 'drop-pack',
            packId: hex(7) as PackId,
            incarnation: node.ref.incarnation,
            putSequenceMax: 0,
            generationMax: 3,
          } as const
          await tx.orders.add(node.id, { orderId: 'one', action })
          await tx.orders.add(node.id, { orderId: 'two', logSequence: 9, action })
          await tx.orders.remove(node.id + 1, 'two')
          await tx.orders.remove(node.id, 'one')
          await tx.orders.remove(node.id, 'one')
          return { left: await tx.orders.ofNode(node.id, 10), action }
        })
        expect(result.left).to.deep.equal([{ orderId: 'two', logSequence: 9, action: result.action }])
      })

      it('number operations upwards', async () => {
        const base = {
          timeMs: 5,
          actor: 'a',
          subject: 's',
          result: 'ok',
          detail: '',
          snapshotId: '',
          durationMs: 0,
        } as const
        const result = await catalogue.write(async (tx) => {
          const numbers = []
          for (const kind of ['backup', 'put', 'backup']) numbers.push(await tx.operations.add({ kind, ...base }))
          return {
            numbers,
            all: await tx.operations.page({ kind: '', before: 1e9, limit: 2 }),
            backups: await tx.operations.page({ kind: 'backup', before: numbers[2] ?? 0, limit: 10 }),
          }
        })
        const [first, second, third] = result.numbers
        expect(result.all.map((row) => row.number)).to.deep.equal([third, second])
        expect(result.backups.map((row) => row.number)).to.deep.equal([first])
      })

      it('forget operations of a kind that made nothing, but for the newest, and give no number twice', async () => {
        const base = { timeMs: 5, actor: 'a', subject: 's', result: 'ok', detail: '', durationMs: 0 } as const
        const left = await catalogue.write(async (tx) => {
          const kinds = ['backup', 'run', 'backup', 'backup!', 'backup', 'backup', 'backup!'] as const
          const numbers = []
          for (const kind of kinds) {
            const snapshotId = kind.endsWith('!') ? 'ab' : ''
            numbers.push(await tx.operations.add({ ...base, kind: kind.replace('!', ''), snapshotId }))
          }
          await tx.operations.trim('backup', 4)
          const before = (await tx.operations.page({ kind: '', before: 1e9, limit: 99 })).length
          await tx.operations.trim('backup', 2)
          const rows = await tx.operations.page({ kind: '', before: 1e9, limit: 99 })
          await tx.operations.trim('backup', 0)
          const next = await tx.operations.add({ ...base, kind: 'backup', snapshotId: '' })
          const first = (numbers[0] ?? 0) - 1
          return { before, numbers: rows.map((row) => row.number - first).reverse(), next: next - first }
        })
        expect(left).to.deep.equal({ before: 7, numbers: [2, 4, 5, 6, 7], next: 8 })
      })

      it('chain the log', async () => {
        const row = { previousHash: id32(1), hash: id32(2), kind: 'commit', payload: text('{}') }
        const newest = await catalogue.write(async (tx) => {
          await tx.log.append(row)
          return tx.log.newest()
        })
        expect(newest?.kind).to.equal('commit')
        expect(Buffer.from(newest?.hash ?? [])).to.deep.equal(Buffer.from(id32(2)))
      })

      it('give the log by numbers, and go on after one that was given', async () => {
        const row = (kind: string): Omit<LogRow, 'sequence'> => ({
          ...{ previousHash: id32(1), hash: id32(2) },
          ...{ kind, payload: text('{}') },
        })
        const found = await catalogue.write(async (tx) => {
          const first = await tx.log.append(row('one'))
          await tx.log.append({ ...row('two'), sequence: first.sequence + 10 })
          const third = await tx.log.append(row('three'))
          const after = await tx.log.after(first.sequence, 1)
          const kinds = [await tx.log.at(first.sequence), await tx.log.at(third.sequence), ...after]
          return {
            gap: third.sequence - first.sequence,
            kinds: kinds.map((each) => each?.kind),
            none: await tx.log.at(5e6),
          }
        })
        expect(found).to.deep.equal({ gap: 11, kinds: ['one', 'three', 'two'], none: undefined })
      })
    })

    const { reopen } = driver
    if (reopen !== undefined) {
      it('has everything that was acknowledged after it was opened again', async () => {
        await catalogue.write(async (tx) => {
          const { vault } = await addBase(tx)
          await tx.snapshots.add(aSnapshot(vault, 3))
        })
        catalogue = await reopen(catalogue)
        const found = await catalogue.read(async (tx) => [
          await tx.sessions.open(),
          (await tx.snapshots.find(aSnapshot(1, 3).snapshotId))?.fileVersion,
        ])
        expect(found).to.deep.equal([[hex(1)], 0])
      })

      it('goes on numbering where it was', async () => {
        const operation = {
          kind: 'backup',
          timeMs: 5,
          actor: 'a',
          subject: 's',
          result: 'ok',
          detail: '',
          snapshotId: '',
          durationMs: 0,
        } as const
        const first = await catalogue.write((tx) => tx.operations.add(operation))
        catalogue = await reopen(catalogue)
        const second = await catalogue.write((tx) => tx.operations.add(operation))
        expect(second).to.be.greaterThan(first)
      })
    }
  })
}
