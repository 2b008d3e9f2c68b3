import { expect } from 'chai'
import { execFile, execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { credentials, makeGenericClientConstructor, status as Status } from '@grpc/grpc-js'
import type { ClientWritableStream, ServiceDefinition, ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Cluster } from '../../bench/cluster.ts'
import { seededBytes } from './seeded-bytes.ts'
import { stepsOf } from '../support/documented-commands.ts'
import { outputPattern, tableRows, withoutSpace } from './shell-document.ts'

const project = join(import.meta.dirname, '../..')
const document = 'docs/grpcurl.md'
const walkThrough = join(project, document)
const example = join(project, 'docs/examples/put-get.js')
const buf = join(project, 'node_modules/.bin/buf')

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

/** Runs a program to its end. */
function run(file: string, args: readonly string[], { input = '', ...options }: RunOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const limits = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const
    const child = execFile(file, args, { ...limits, ...options }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr })
    })
    // A program that ends early closes its stdin; that is its right.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

describe('any gRPC client', function () {
  let cluster: Cluster
  let folder: string

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-any-client-')))
    cluster = await Cluster.start()
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  describe('the walk-through with grpcurl', () => {
    const environment: NodeJS.ProcessEnv = {}
    const steps = stepsOf(document)
    const ofMake = (commands: string): boolean => commands.startsWith('make ')

    /** The document's addresses are those of `make up`. */
    function here(text: string): string {
      return text.replace(/127\.0\.0\.1:740([0-3])/g, (_, digit: string) =>
        cluster.address(digit === '0' ? 'manager' : `n${digit}`),
      )
    }

    before(() => {
      const programs = join(folder, 'bin')
      fs.mkdirSync(programs)
      const grpcurl = join(programs, 'grpcurl')
      const substitute = join(import.meta.dirname, 'grpcurl-over-buf.ts')
      // With a grpcurl at hand, GRPCURL makes these tests use it.
      const real = process.env['GRPCURL']
      const command = real ?? `${process.execPath}" --experimental-strip-types "${substitute}`
      fs.writeFileSync(grpcurl, `#!/bin/sh\nexec "${command}" "$@"\n`, { mode: 0o755 })
      for (const name of ['node_modules', 'proto']) fs.symlinkSync(join(project, name), join(folder, name))
      Object.assign(environment, process.env, { PATH: [programs, process.env['PATH']].join(delimiter) })
    })

    it('begins and ends with a cluster of make up', () => {
      const commands = steps.map((step) => step.commands)
      expect(commands.filter(ofMake)).to.deep.equal([commands[0], commands.at(-1)])
      expect(commands.filter(ofMake)).to.deep.equal(['make up', 'make down'])
    })

    for (const { line, commands, output = '' } of steps.filter((step) => !ofMake(step.commands))) {
      const title = /(grpcurl|buf) .*/.exec(commands)?.[0] ?? commands
      it(`does what line ${line} says: ${title.slice(0, 100)}`, async () => {
        const script = `exec 2>&1\n${here(commands)}`
        const { code, stdout } = await run('sh', ['-c', script], { cwd: folder, env: environment })
        expect(withoutSpace(stdout)).to.match(outputPattern(here(output)))
        if (output.includes('ERROR:')) expect(code).to.be.at.least(64)
        else expect(code).to.equal(0)
      })
    }

    it('brings back what was stored', () => {
      const [stored, back] = ['photo.jpg', 'back.jpg'].map((name) => fs.readFileSync(join(folder, name)))
      expect(stored?.length).to.equal(1_000_000)
      expect(back?.equals(stored!)).to.equal(true)
    })

    it('names the errors that come', async () => {
      const rows = tableRows(walkThrough, 'call').map((row) => row.map((cell) => /^`(.*?)`/.exec(cell)?.[1] ?? cell))
      expect(rows.length).to.be.greaterThan(8)
      const fail = async ([method = '', request = '', code = '', message = '']: string[]): Promise<void> => {
        const args = ['-plaintext', '-d', request, cluster.address('n2'), `twofold.v1.${method}`]
        const { stderr } = await run('grpcurl', args, { env: environment })
        const expected = outputPattern(`ERROR:\n  Code: ${code}\n  Message: ${message}`)
        expect(withoutSpace(stderr), `${method} with ${request}`).to.match(expected)
      }
      await Promise.all(rows.map(fail))
    })

    it('names no method that there is not', async () => {
      const named = fs.readFileSync(walkThrough, 'utf8').matchAll(/\b(?:Files|Manager|Health|Storage)[./][A-Z]\w*/g)
      const methods = (await Promise.all(['manager', 'n1'].map((name) => list('--list-methods', name)))).flat()
      const known = new Set(methods.map((method) => method.split('.').pop()))
      const wanted = [...new Set([...named].map(([name]) => name.replace('.', '/')))]
      expect(wanted).to.include('Files/Put').and.to.include('Manager/ListHistory')
      expect(wanted.filter((name) => !known.has(name))).to.deep.equal([])
    })
  })

  async function list(what: string, name: string, ...options: readonly string[]): Promise<string[]> {
    const { code, stdout, stderr } = await curl([...options, what, `http://${cluster.address(name)}`])
    expect(code, stderr).to.equal(0)
    return stdout.trim().split('\n')
  }

  function curl(args: readonly string[], input?: string): Promise<Result> {
    const options = input === undefined ? {} : { input }
    return run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args], options)
  }

  /** Calls a method of `Files` through reflection alone. Streams of messages are JSON after JSON in both directions. */
  function files(method: string, messages: readonly object[], node = 'n1'): Promise<Result> {
    const url = `http://${cluster.address(node)}/twofold.v1.Files/${method}`
    return curl(['-d', '@-', url], messages.map((message) => JSON.stringify(message)).join('\n'))
  }

  interface Version {
    readonly name: string
    readonly version: string
    readonly lengthBytes?: string
    readonly copies: number
  }

  async function put(header: object, content: Buffer, node?: string): Promise<Version> {
    const pieces = Array.from({ length: Math.ceil(content.length / 300_000) }, (_, index) => {
      return { data: content.subarray(index * 300_000, (index + 1) * 300_000).toString('base64') }
    })
    const { code, stdout, stderr } = await files('Put', [{ header }, ...pieces], node)
    expect(code, stderr).to.equal(0)
    return (JSON.parse(stdout) as { version: Version }).version
  }

  async function get(request: object, node: string): Promise<Buffer> {
    const { code, stdout, stderr } = await files('Get', [request], node)
    expect(code, stderr).to.equal(0)
    return Buffer.concat([...stdout.matchAll(/"data": *"(.*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64')))
  }

  describe('through reflection alone', () => {
    for (const protocol of ['grpc-v1', 'grpc-v1alpha']) {
      it(`finds what manager and nodes serve, by ${protocol}`, async () => {
        const options = ['--reflect-protocol', protocol]
        const ours = (names: string[]): string[] => names.filter((name) => name.startsWith('twofold'))
        const ofManager = ['twofold.v1.Admin', 'twofold.v1.Agents', 'twofold.v1.Manager', 'twofold.v1.Schedules']
        expect(ours(await list('--list-services', 'manager', ...options))).to.deep.equal(ofManager)
        const ofNode = ['twofold.v1.Files', 'twofold.v1.Replication', 'twofold.v1.Storage']
        expect(ours(await list('--list-services', 'n3', ...options))).to.deep.equal(ofNode)
      })
    }

    it('brings back a binary file and an empty one through any node', async () => {
      const binary = seededBytes(7, 3_000_000)
      const stored = await put({ name: 'binary' }, binary, 'n1')
      expect(stored).to.include({ version: '1', lengthBytes: '3000000', copies: 2 })
      expect((await get({ name: 'binary' }, 'n3')).equals(binary)).to.equal(true)
      expect(await put({ name: 'empty' }, Buffer.alloc(0), 'n2')).to.include({ version: '1', copies: 2 })
      expect((await get({ name: 'empty' }, 'n1')).length).to.equal(0)
    })

    it('lists a page at a time', async () => {
      await put({ name: 'pages/"1"' }, Buffer.from('one'))
      await put({ name: 'pages/zwei\n' }, Buffer.from('two'))
      const page = async (pageToken: string): Promise<{ files: Version[]; nextPageToken?: string }> => {
        const { stdout } = await files('List', [{ prefix: 'pages/', pageSize: 1, pageToken }])
        return JSON.parse(stdout) as { files: Version[]; nextPageToken?: string }
      }
      const first = await page('')
      expect(first.files.map(({ name }) => name)).to.deep.equal(['pages/"1"'])
      const second = await page(first.nextPageToken ?? '')
      expect(second.files.map(({ name }) => name)).to.deep.equal(['pages/zwei\n'])
      expect(second.nextPageToken).to.equal(undefined)
    })

    it('makes one version of a put that is repeated, whichever node it comes to', async () => {
      const header = { name: 'repeated', requestId: 'once' }
      expect((await put(header, Buffer.from('x'), 'n1')).version).to.equal('1')
      expect((await put(header, Buffer.from('x'), 'n2')).version).to.equal('1')
      expect((await put({ name: 'repeated' }, Buffer.from('x'), 'n2')).version).to.equal('2')
    })

    it('refuses a piece of content that is too large, and makes no version', async () => {
      const data = Buffer.alloc(2 * 1024 * 1024).toString('base64')
      const { code, stderr } = await files('Put', [{ header: { name: 'large pieces' } }, { data }])
      expect(code).to.equal(Status.INVALID_ARGUMENT << 3)
      expect(stderr).to.include('at most 1048576 bytes').and.to.include('send smaller ones')
      expect((await files('History', [{ name: 'large pieces' }])).code).to.equal(Status.NOT_FOUND << 3)
    })
  })

  describe('a peculiar caller', () => {
    const schema = join(project, 'proto/twofold/v1/files.proto')
    const definition = loadSync(schema, { includeDirs: [join(project, 'proto')] })[
      'twofold.v1.Files'
    ] as ServiceDefinition
    const Files = makeGenericClientConstructor(definition, 'Files')
    let client: InstanceType<typeof Files>

    before(() => (client = new Files(cluster.address('n1'), credentials.createInsecure())))
    after(() => client.close())

    /** Starts a put, lets `send` write to it, and resolves with how it failed. */
    function failedPut(send: (call: ClientWritableStream<object>) => void): Promise<ServiceError> {
      return new Promise((resolve, reject) => {
        const start = client['put'] as (done: (error: ServiceError | null) => void) => ClientWritableStream<object>
        send(start.call(client, (error) => (error === null ? reject(new Error('it was stored')) : resolve(error))))
      })
    }

    it('that sends 100 MB in one message is refused, and nothing else suffers', async () => {
      const pid = cluster.pid('n1')
      const error = await failedPut((call) => {
        call.write({ header: { name: 'huge' } })
        call.end({ data: Buffer.alloc(100_000_000) })
      })
      expect(error.code).to.equal(Status.RESOURCE_EXHAUSTED)
      expect(error.details).to.include('4194304')
      expect(() => process.kill(pid, 0)).not.to.throw()
      expect(await put({ name: 'after the huge one' }, Buffer.from('x'))).to.include({ copies: 2 })
    })

    it('that gives up in the middle has stored nothing', async () => {
      const error = await failedPut((call) => {
        call.write({ header: { name: 'given up' } })
        call.write({ data: Buffer.alloc(1_000_000) }, () => call.cancel())
      })
      expect(error.code).to.equal(Status.CANCELLED)
      expect((await files('History', [{ name: 'given up' }])).code).to.equal(Status.NOT_FOUND << 3)
    })

    it('that sends only a header and never ends does not keep others from the same name', async () => {
      let open: ClientWritableStream<object> | undefined
      const failure = failedPut((call) => (open = call).write({ header: { name: 'contended' } }))
      expect(await put({ name: 'contended' }, Buffer.from('x'))).to.include({ version: '1' })
      open?.cancel()
      expect((await failure).code).to.equal(Status.CANCELLED)
    })
  })

  describe('the example without generated code', () => {
    const content = seededBytes(11, 5_000_000)
    let file: string

    before(() => {
      file = join(folder, 'example.bin')
      fs.writeFileSync(file, content)
    })

    function client(args: readonly string[], address = cluster.address('n2')): Promise<Result> {
      return run(process.execPath, [example, ...args], { env: { ...process.env, TWOFOLD_NODE: address } })
    }

    it('puts a file, lists it, and gets it back', async () => {
      const stored = await client(['put', file, 'example.bin'])
      expect(stored, stored.stderr).to.include({ code: 0, stdout: 'example.bin\t1\t5000000\t2\n' })
      expect((await client(['list', 'example'])).stdout).to.equal(stored.stdout)
      const back = join(folder, 'example.back')
      expect(await client(['get', 'example.bin', back])).to.deep.equal({ code: 0, stdout: '', stderr: '' })
      expect(fs.readFileSync(back).equals(content)).to.equal(true)
    })

    it('gets a file to stdout', async () => {
      await put({ name: 'verse' }, Buffer.from('two by two\n'))
      expect(await client(['get', 'verse'])).to.deep.equal({ code: 0, stdout: 'two by two\n', stderr: '' })
    })

    it('says what is wrong, and stores nothing that it cannot read', async () => {
      const wrong: [args: string[], message: RegExp][] = [
        [['get', 'no-such-file'], /^there is no file "no-such-file"/],
        [['put', join(folder, 'absent')], /^ENOENT.*absent/],
        [['put', folder, 'a folder'], /^EISDIR/],
        [['put', file, ''], /^a file's name must have 1 to 1024 bytes/],
        [['get', 'example.bin', join(folder, 'absent', 'file')], /^ENOENT.*absent/],
        [[], /^put FILE \[NAME\] \| get NAME/],
      ]
      const fail = async ([args, message]: (typeof wrong)[number]): Promise<void> => {
        const { code, stderr } = await client(args)
        expect(code, args.join(' ')).to.equal(1)
        expect(stderr).to.match(message)
      }
      await Promise.all(wrong.map(fail))
      expect((await client(['list', 'a folder'])).stdout).to.equal('')
      const { code, stderr } = await client(['put', file], cluster.managerAddress)
      expect(code).to.equal(1)
      expect(stderr).to.include('does not implement')
    })
  })
})
