/**
 * `make pictures`: draws docs/pictures/*.svg. A cluster of real processes, real commands in a real shell, the
 * full-screen client with keys typed; what then stands on their pseudo-terminals is drawn.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from './cluster.ts'
import { Studio } from './terminal/studio.ts'
import { SeededStream } from './workloads/seeded-stream.ts'

const pictures = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'pictures')
/** Where the commands are given: it says nothing of this machine. It must not be there, and is removed in the end. */
const home = '/tmp/laptop'
const rows = { shell: 44, client: 26 }
const [arrowDown, escape] = ['\x1b[B', '\x1b']

/** Something to save: letters that compress, photos and films that do not. */
function writeFiles(): void {
  const stream = new SeededStream('pictures')
  for (const folder of ['documents/letters', 'documents/photos', 'films']) {
    mkdirSync(join(home, folder), { recursive: true })
  }
  for (let number = 1; number <= 400; number++) {
    const words = Array.from({ length: 2000 }, () => stream.below(5000).toString(36)).join(' ')
    writeFileSync(join(home, 'documents/letters', `${number}.txt`), `Dear reader,\n${words}\n`)
  }
  const write = (name: string, bytes: number): void => {
    const content = Buffer.alloc(bytes)
    stream.fill(content)
    writeFileSync(join(home, name), content)
  }
  for (let number = 1; number <= 24; number++) write(`documents/photos/${1000 + number}.jpg`, 4_000_000)
  for (let number = 1; number <= 12; number++) write(`films/summer ${number}.mov`, 20_000_000)
}

async function drawCommands(studio: Studio): Promise<void> {
  const shell = studio.start(rows.shell, '/bin/sh', '-i')
  await studio.type(shell, 'twofold backup documents --limit-upload 25MB')
  await studio.see(shell, /[5-8]\d\.\d%/)
  studio.draw('backup', 'a backup, under way', shell)
  await studio.prompted(shell)
  writeFileSync(join(home, 'documents/letters/1.txt'), 'Dear reader, it rains.\n')
  await studio.type(shell, 'twofold backup documents --tag evening')
  await studio.type(shell, 'twofold snapshots')
  await studio.prompted(shell)
  studio.draw('snapshots', 'two backups, and what is certain about them', shell)
}

async function drawClient(studio: Studio): Promise<void> {
  const client = studio.start(rows.client, 'twofold')
  await studio.see(client, '● well')
  studio.draw('client-home', 'twofold', client)
  client.type('1')
  await studio.see(client, '[ ]  films')
  client.type(`${arrowDown}b`)
  await studio.see(client, /\([4-8] durable\)/)
  studio.draw('client-backup', 'a backup, and the two nodes of each pack', client)
  await studio.see(client, '✓ snapshot')
  for (const shown of ['Space choose', 'Browse and restore']) {
    client.type(escape)
    await studio.see(client, shown)
  }
  client.type('2')
  await studio.see(client, 'evening', '/films')
  studio.draw('client-browse', 'snapshots', client)
  client.type('q')
  await client.ended
}

async function drawDeadNode(studio: Studio, cluster: Cluster): Promise<void> {
  const client = studio.start(rows.client, 'twofold')
  await studio.see(client, '● well')
  client.type('5')
  await studio.see(client, 'n4')
  await cluster.kill('n2')
  await studio.see(client, /n2 +dead/, 'repairing')
  studio.draw('client-cluster', 'node n2 is dead, and its copies are made again', client)
  const shell = await studio.shell(rows.shell, 'twofold snapshots', 'twofold status --fail-on degraded', 'echo $?')
  studio.draw('dead-node', 'the same, by commands', shell)
}

async function run(): Promise<void> {
  writeFiles()
  // Lost soon, and repaired slowly: a picture shows what is in between.
  const managerOptions = ['--suspect-after', '1s', '--dead-after', '3s', '--repair-rate', '2MB']
  const cluster = await Cluster.start({ nodes: 4, capacity: '1TB', managerOptions })
  const studio = new Studio(cluster, { home, pictures })
  try {
    await drawCommands(studio)
    await drawClient(studio)
    await drawDeadNode(studio, cluster)
  } finally {
    studio.close()
    await cluster.stop()
  }
}

mkdirSync(pictures, { recursive: true })
mkdirSync(home)
try {
  await run()
  process.stdout.write('the pictures are in docs/pictures\n')
} finally {
  rmSync(home, { recursive: true, force: true })
}
