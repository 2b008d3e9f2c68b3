import { TwofoldError } from '../../src/core/errors.ts'
import { decodeLogRecord } from '../../src/node/log-record.ts'
import { parseFileName } from '../../src/node/pack-file-name.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { mayLose, mayLoseCatalogue } from './fault-atlas.ts'
import type { PackHolding } from './fault-atlas.ts'
import { nodeIdIn } from './operator.ts'
import type { Operator } from './operator.ts'
import { packFiles } from './oracle.ts'
import type { Oracle, PackFile } from './oracle.ts'
import { damageKinds } from './profile.ts'
import type { DamageKind, Profile } from './profile.ts'
import type { CatalogueImage } from './sim-catalogue.ts'
import type { SimNode, SimWorld } from './sim-world.ts'

export interface DamageDeps {
  readonly world: SimWorld
  readonly oracle: Oracle
  readonly operator: Operator
  readonly fail: (error: unknown) => void
  /** Told what struck. */
  readonly count: (kind: string) => void
}

type DiskImage = ReadonlyMap<string, Uint8Array>

const imagesKept = 4
const imageEveryMs = 4000
/** For so long after errors a reader that was paused may still put aside what it could not read, in milliseconds. */
const readErrorEchoMs = 25_000

/** Lets data rot and vanish, and disks and catalogues come back as they were before, as far as the atlas allows it. */
export class Damage {
  readonly #profile: Profile
  readonly #kinds: readonly DamageKind[]
  readonly #random: SeededRandom
  /** Files that cannot be read for a while, as `node path`, and nodes whose other reads fail, too. */
  readonly #unreadable = new Set<string>()
  readonly #diskImages = new Map<SimNode, DiskImage[]>()
  #catalogueImages: CatalogueImage[] = []
  /** The newest entry of the log when a disk was lost last. */
  #logNeeded = 0
  #deps: DamageDeps | undefined
  #over = false

  constructor(profile: Profile) {
    this.#profile = profile
    this.#kinds = damageKinds.filter((kind) => profile.kinds.includes(kind))
    this.#random = new SeededRandom(profile.seed * 50_331_653 + 3)
  }

  /** What the disk of a node says to an operation. @throws TwofoldError `io` */
  onDisk(node: string, operation: string, path: string): void {
    if (operation !== 'read' || !this.#unreadable.has(`${node} ${path}`)) return
    throw new TwofoldError('io', `a bad sector of the simulated disk of ${node}`)
  }

  begin(deps: DamageDeps): void {
    this.#deps = deps
    if (this.#kinds.length === 0) return
    this.#takeImages()
    this.#next()
  }

  /** What comes back at all is there again. */
  end(): void {
    this.#over = true
    for (const entry of this.#unreadable) this.#readable(entry)
    for (const node of this.#world.nodes) this.#mount(node)
    for (const { name } of this.#world.nodes) this.#world.killTwin(name)
  }

  get #world(): SimWorld {
    return this.#begun.world
  }

  get #begun(): DamageDeps {
    if (this.#deps === undefined) throw new Error('damage needs a world')
    return this.#deps
  }

  #next(): void {
    const waitMs = -Math.log(1 - this.#random.fraction()) * this.#profile.damageEveryMs
    this.#world.scheduler.after(waitMs, () => void this.#strike().catch(this.#begun.fail))
  }

  async #strike(): Promise<void> {
    if (this.#over) return
    const kind = this.#pick(this.#kinds)
    this.#begun.count((await this.#tryTo(kind)) ? kind : `no ${kind}`)
    this.#next()
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random.fraction() * choices.length)] as T
  }

  #between(leastMs: number, mostMs: number): number {
    return leastMs + this.#random.fraction() * (mostMs - leastMs)
  }

  /** @returns whether the atlas allowed it */
  #tryTo(kind: DamageKind): Promise<boolean> {
    switch (kind) {
      case 'rot':
        return this.#rot()
      case 'read-error':
        return this.#readError(this.#pick(this.#world.nodes))
      case 'unmounted-disk':
        return this.#unmount(this.#pick(this.#world.nodes))
      case 'wiped-disk':
        return this.#wipe(this.#pick(this.#world.nodes))
      case 'older-disk':
        return this.#older(this.#pick(this.#world.nodes))
      case 'older-catalogue':
        return this.#olderCatalogue()
      case 'clock-jump':
        return this.#jump()
      case 'twin':
        return this.#twin(this.#pick(this.#world.nodes))
    }
  }

  /** The packs of a node that it may lose now. */
  async #expendable(node: SimNode): Promise<{ all: boolean; files: PackFile[] }> {
    const holdings = await this.#begun.oracle.holdings()
    const files = packFiles(node).filter(({ packId }) => mayLose(holdings.get(packId) as PackHolding, node.name))
    return { all: files.length === packFiles(node).length, files }
  }

  async #rot(): Promise<boolean> {
    const nodes = this.#world.nodes.filter(({ away }) => away === undefined)
    const choices = await Promise.all(nodes.map(async (node) => ({ node, ...(await this.#expendable(node)) })))
    const able = choices.filter(({ files }) => files.length > 0)
    if (able.length === 0) return false
    const { node, files } = this.#pick(able)
    const { disk } = node
    const { packId, path } = this.#pick(files)
    const content = disk.content(path, 'seen') ?? Buffer.alloc(0)
    const how = this.#pick(['flip', 'flip', 'cut', 'swap', 'gone'])
    const other = this.#pick(files)
    if (how === 'swap' && other.path === path) return false
    this.#world.note(`${node.name} ${path} rots: ${how}`)
    this.#begun.oracle.striking(packId, node)
    if (how === 'gone') {
      disk.lose(path)
    } else if (how === 'cut') {
      const left = Math.floor(this.#random.fraction() * content.length)
      disk.damage(path, (bytes) => bytes.subarray(0, left))
    } else if (how === 'swap') {
      this.#begun.oracle.striking(other.packId, node)
      const others = Buffer.from(disk.content(other.path, 'seen') ?? Buffer.alloc(0))
      disk.damage(other.path, () => Buffer.from(content))
      disk.damage(path, () => others)
    } else {
      disk.damage(path, (bytes) => this.#flip(bytes))
    }
    return true
  }

  #flip(bytes: Buffer): Buffer {
    for (let flips = 1 + Math.floor(this.#random.fraction() * 4); flips > 0; flips--) {
      const at = Math.floor(this.#random.fraction() * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(this.#random.fraction() * 8))
    }
    return bytes
  }

  async #readError(node: SimNode): Promise<boolean> {
    if (node.away !== undefined) return false
    const { files } = await this.#expendable(node)
    const others = node.disk.files().filter((path) => !path.startsWith('packs/'))
    const paths = [...files.map(({ path }) => path), ...others].filter(() => this.#random.fraction() < 0.5)
    this.#world.note(`${node.name} cannot read ${paths.length} files`)
    for (const path of paths) {
      const put = parseFileName(path.split('/').at(-1) ?? '')
      if (put !== undefined) this.#begun.oracle.striking(put.packId, node, path)
      this.#unreadable.add(`${node.name} ${path}`)
    }
    const { scheduler } = this.#world
    const lastsMs = this.#between(300, 6000)
    scheduler.after(lastsMs, () => paths.forEach((path) => this.#unreadable.delete(`${node.name} ${path}`)))
    scheduler.after(lastsMs + readErrorEchoMs, () => paths.forEach((path) => this.#begun.oracle.spared(node, path)))
    return true
  }

  #readable(entry: string): void {
    const [name = '', path = ''] = entry.split(' ')
    this.#unreadable.delete(entry)
    this.#begun.oracle.spared(this.#world.node(name), path)
  }

  /** A node is about to lose these. */
  async #losing(node: SimNode, files: readonly PackFile[]): Promise<void> {
    for (const { packId } of files) this.#begun.oracle.striking(packId, node)
    const newest = await this.#world.catalogue.read((tx) => tx.log.newest())
    this.#logNeeded = Math.max(this.#logNeeded, newest?.sequence ?? 0)
  }

  async #unmount(node: SimNode): Promise<boolean> {
    // What is formatted in its place must find its name taken, or that would be the node from then on.
    if (node.away !== undefined || this.#begun.operator.wasLost(node.name)) return false
    this.#world.crashNode(node.name)
    const image = node.disk.durableImage()
    node.away = image
    // What is in its place: an empty directory, or one that has something in it but no identity.
    const identity = 'node.json'
    const left = [...image].filter(([path]) => this.#random.fraction() < 0.5 && path !== identity)
    node.disk.restore(new Map(this.#random.fraction() < 0.5 ? left : []))
    this.#startLater(node, this.#between(200, 3000))
    this.#world.scheduler.after(this.#between(2000, 12_000), () => this.#mount(node))
    return true
  }

  #mount(node: SimNode): void {
    const image = node.away
    if (image === undefined) return
    node.away = undefined
    this.#world.note(`the disk of ${node.name} is mounted again`)
    node.process.kill()
    node.disk.restore(image)
    void this.#world.startNode(node.name)
  }

  #startLater(node: SimNode, ms: number): void {
    this.#world.scheduler.after(ms, () => {
      if (!this.#over && node.process.dead) void this.#world.startNode(node.name)
    })
  }

  async #wipe(node: SimNode): Promise<boolean> {
    if (node.away !== undefined || this.#begun.oracle.inDoubt || !(await this.#expendable(node)).all) return false
    await this.#losing(node, packFiles(node))
    await this.#begun.operator.gone(node.name)
    this.#world.crashNode(node.name)
    node.disk.restore(new Map())
    this.#diskImages.delete(node)
    this.#startLater(node, this.#between(200, 4000))
    return true
  }

  async #older(node: SimNode): Promise<boolean> {
    const image = this.#pick(this.#diskImages.get(node) ?? [])
    if (image === undefined || node.away !== undefined || this.#begun.oracle.inDoubt) return false
    const { files } = await this.#expendable(node)
    // Also what the disk has now and was rotten when the image was made.
    const missing = packFiles(node).filter(({ path }) => !sameBytes(image.get(path), node.disk.content(path, 'seen')))
    if (missing.some((file) => !files.includes(file))) return false
    await this.#losing(node, missing)
    // Of before the disk was replaced: the store that it has now is gone for good.
    const now = node.disk.content('node.json', 'seen')
    if (nodeIdIn(image.get('node.json')) !== nodeIdIn(now)) await this.#begun.operator.gone(node.name)
    this.#world.crashNode(node.name)
    this.#world.note(`the disk of ${node.name} is an older one`)
    node.disk.restore(image)
    this.#startLater(node, this.#between(200, 4000))
    return true
  }

  async #olderCatalogue(): Promise<boolean> {
    const image = this.#pick(this.#catalogueImages)
    const known = this.#world.nodes.map(logEnd)
    if (
      image === undefined ||
      this.#begun.oracle.inDoubt ||
      this.#world.manager.dead ||
      this.#world.nodes.some(({ away }) => away !== undefined)
    )
      return false
    if (!mayLoseCatalogue({ known, needed: this.#logNeeded })) return false
    await this.#begun.oracle.losingCatalogue()
    this.#world.crashManager()
    this.#world.catalogues.restore(image)
    this.#world.note('the catalogue is an older one')
    this.#catalogueImages = []
    this.#world.scheduler.after(this.#between(200, 5000), () => {
      if (!this.#over && this.#world.manager.dead) void this.#world.startManager()
    })
    return true
  }

  async #jump(): Promise<boolean> {
    const machine = this.#pick(['manager', ...this.#world.nodes.map(({ name }) => name)])
    const far = this.#pick([60_000, 3_600_000, 100_000_000])
    this.#world.setWallClock(machine, Math.round(this.#between(-far, far)))
    return true
  }

  /** Two processes at once on one store; often the first one is silent for so long that the other takes its place. */
  async #twin(node: SimNode): Promise<boolean> {
    if (node.away !== undefined) return false
    const { scheduler } = this.#world
    void this.#world.startTwin(node.name)
    if (this.#random.fraction() < 0.6) node.process.pause(this.#between(3000, 12_000))
    scheduler.after(this.#between(1000, 15_000), () => this.#world.killTwin(node.name))
    return true
  }

  /** Now and then somebody keeps an image of each disk, and of the catalogue. */
  #takeImages(): void {
    if (this.#over) return
    if (this.#kinds.includes('older-disk')) {
      for (const node of this.#world.nodes) {
        if (node.away !== undefined || node.process.dead) continue
        const kept = this.#diskImages.get(node) ?? []
        this.#diskImages.set(node, [...kept, node.disk.durableImage()].slice(-imagesKept))
      }
    }
    if (this.#kinds.includes('older-catalogue') && !this.#begun.oracle.inDoubt) {
      this.#catalogueImages = [...this.#catalogueImages, this.#world.catalogues.image()].slice(-imagesKept)
    }
    this.#world.scheduler.after(imageEveryMs, () => this.#takeImages())
  }
}

/** The newest entry of the manager's log that a node's disk is sure to know of. */
function logEnd({ disk }: SimNode): number {
  let newest = 0
  for (const path of disk.files()) {
    if (!path.startsWith('log/')) continue
    let bytes = disk.content(path, 'durable') ?? Buffer.alloc(0)
    for (let found = decodeLogRecord(bytes); found?.record !== undefined; found = decodeLogRecord(bytes)) {
      const { record } = found
      if (record.type === 'entry') newest = Math.max(newest, record.entry.sequence)
      if (record.type === 'witness') newest = Math.max(newest, record.position.sequence)
      bytes = bytes.subarray(found.length)
    }
  }
  return newest
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0
}
