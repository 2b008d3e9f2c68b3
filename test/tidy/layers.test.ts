import { expect } from 'chai'
import { importsOf, productFiles } from './source-tree.ts'
import type { Import, ParsedFile } from './source-tree.ts'

/** Which folders of `src` each folder may import from, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  system: ['core'],
  format: ['core', 'gen'],
  // It is never simulated, so its clock is the real one unless a test gives it another.
  rpc: ['core', 'gen', 'system'],
  manager: ['core', 'format', 'rpc', 'gen', 'system'],
  node: ['core', 'format', 'rpc', 'gen', 'system'],
  client: ['core', 'format', 'rpc', 'gen', 'system'],
  gateway: ['core', 'rpc', 'gen', 'client'],
  agent: ['core', 'system', 'client'],
  cli: ['core', 'system', 'client', 'manager', 'node', 'gateway', 'agent', 'tui'],
  tui: ['core', 'client'],
}

const roles = ['manager', 'node', 'client', 'gateway', 'agent']

/** The files of a role that may touch gRPC and generated code. */
const isEdge = (path: string): boolean => /\/(main|([a-z-]+-)?convert|[a-z-]+-service|[a-z-]+-remote)\.ts$/.test(path)

/** Built-in modules that do nothing by themselves, or only what they are told, at once. */
const pureModules = ['node:buffer', 'node:path', 'node:util', 'node:events', 'node:stream', 'node:crypto', 'node:zlib']

/** Files outside `src/system` that reach the machine, each being the real driver of a port. */
const drivers: Readonly<Record<string, string>> = {
  'src/client/source-disk.ts': 'SourceTree on the real file system',
  'src/client/file-status.ts': 'the status of files without an object for each, which node:fs makes',
  'src/client/source-confined.ts': 'that, where links may be swapped meanwhile',
  'src/client/source-threaded.ts': 'that, listed in another thread',
  'src/client/listing-thread.ts': 'the other thread',
  'src/client/target-disk.ts': 'RestoreTarget on the real file system',
  'src/client/restore-mark.ts': 'what that target remembers of a restore that is not over',
  'src/client/target-file.ts': 'a file of that target',
  'src/client/large-writes.ts': 'how long slices of it are written',
  'src/client/whole-file-writer.ts': 'files of that target that come as a whole',
  'src/client/unnamed-files.ts': 'files without a name, which node:fs cannot make',
  'src/client/metadata-setter.ts': 'owner, mode and times for all of these',
  'src/client/writing-threads.ts': 'threads for that target',
  'src/client/writing-thread.ts': 'what each of them does',
  'src/client/directory-handles.ts': 'the directories of that target, held open against swapped links',
  'src/client/foreign-functions.ts': 'finds what calls the system where node:fs cannot',
  'src/client/file-times.ts': 'times in nanoseconds, which node:fs cannot set',
  'src/client/long-path.ts': 'paths beyond PATH_MAX, for both',
  'src/format/native-hash.ts': 'finds the binary of BLAKE3',
  'src/manager/catalogue-sqlite.ts': 'Catalogue on SQLite',
  'src/manager/sqlite/catalogue-copier.ts': 'copies of it, made beside it',
  'src/manager/sqlite/migrate.ts': 'its schema',
  'src/manager/sqlite/statements.ts': 'its statements',
  'src/rpc/server-call.ts': 'the stream below a call',
  'src/rpc/server-window.ts': 'the windows below a server',
  'src/rpc/window-shares.ts': 'the windows of its connections',
}

const areaOf = (path: string): string => path.split('/')[1] ?? ''

function packageOf(specifier: string): string {
  return specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '')
}

function broken(rule: (file: ParsedFile, target: Import) => boolean): string[] {
  return productFiles().flatMap((file) =>
    importsOf(file)
      .filter((target) => rule(file, target))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  )
}

/** Files that import each other in a circle, as `a → b → a`. */
function cycles(): string[] {
  const files = productFiles()
  const graph = new Map(files.map((file) => [file.path, importsOf(file).flatMap(({ target }) => target ?? [])]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

describe('layers', () => {
  it('knows every folder of src', () => {
    const areas = new Set(productFiles().map(({ path }) => areaOf(path)))
    for (const area of areas) expect(mayImport, `src/${area} has no rule`).to.have.property(area)
  })

  it('import only what is below them', () => {
    const rule = (file: ParsedFile, { target }: Import): boolean => {
      if (target === undefined) return false
      const [from, to] = [areaOf(file.path), areaOf(target)]
      return !target.startsWith('src/') || (from !== to && !(mayImport[from] ?? []).includes(to))
    }
    expect(broken(rule)).to.deep.equal([])
  })

  it('of manager, node and client never meet', () => {
    const sides = ['manager', 'node', 'client']
    const rule = (file: ParsedFile, { target }: Import): boolean => {
      const [from, to] = [areaOf(file.path), areaOf(target ?? '')]
      return sides.includes(from) && sides.includes(to) && from !== to
    }
    expect(broken(rule)).to.deep.equal([])
  })

  it('of a role touch gRPC and generated code only at their edge', () => {
    const rule = (file: ParsedFile, { specifier, target }: Import): boolean => {
      if (!roles.includes(areaOf(file.path)) || isEdge(file.path)) return false
      return ['rpc', 'gen'].includes(areaOf(target ?? '')) || specifier.startsWith('@grpc/')
    }
    expect(broken(rule)).to.deep.equal([])
  })

  it('of a role get clock, chance and disk from their main', () => {
    const rule = (file: ParsedFile, { target }: Import): boolean =>
      roles.includes(areaOf(file.path)) && areaOf(target ?? '') === 'system' && !file.path.endsWith('/main.ts')
    expect(broken(rule)).to.deep.equal([])
  })

  it('above the client use nothing but its index', () => {
    const rule = (file: ParsedFile, { target }: Import): boolean =>
      areaOf(file.path) !== 'client' && areaOf(target ?? '') === 'client' && target !== 'src/client/index.ts'
    expect(broken(rule)).to.deep.equal([])
  })

  it('let the commands start processes through their mains only', () => {
    const names = ['manager', 'manager-copies', 'manager-recover', 'node', 'agent']
    const starters = names.map((name) => `src/cli/commands/${name}.ts`)
    const rule = (file: ParsedFile, { target }: Import): boolean =>
      areaOf(file.path) === 'cli' &&
      ['manager', 'node', 'gateway', 'agent'].includes(areaOf(target ?? '')) &&
      !(starters.includes(file.path) && (target ?? '').endsWith('/main.ts'))
    expect(broken(rule)).to.deep.equal([])
  })

  it('load the full-screen client in its command only, when it is called', () => {
    const rule = (file: ParsedFile, { target }: Import): boolean =>
      areaOf(file.path) !== 'tui' && areaOf(target ?? '') === 'tui' && file.path !== 'src/cli/commands/tui.ts'
    expect(broken(rule)).to.deep.equal([])
    const command = productFiles().find(({ path }) => path === 'src/cli/commands/tui.ts')
    const loaded = command?.lines.filter((line) => /^import (?!type ).*\/tui\//.test(line))
    expect(loaded).to.deep.equal([])
  })

  it('use packages where they belong', () => {
    const homes: Readonly<Record<string, RegExp>> = {
      '@grpc/grpc-js': /^src\/(rpc|gen)\/|\/(main|[a-z-]+-service|[a-z-]+-remote)\.ts$/,
      '@grpc/reflection': /^src\/rpc\//,
      'grpc-health-check': /^src\/rpc\//,
      '@bufbuild/protobuf': /^src\/(rpc|gen|format)\//,
      ink: /^src\/tui\//,
      react: /^src\/tui\//,
      commander: /^src\/cli\//,
      pino: /^src\/system\//,
      '@napi-rs/blake-hash': /^src\/format\//,
      ignore: /^src\/client\//,
      yazl: /^src\/client\//,
      yaml: /^src\/cli\//,
    }
    const rule = (file: ParsedFile, { specifier, target }: Import): boolean => {
      if (target !== undefined || specifier.startsWith('node:')) return false
      return homes[packageOf(specifier)]?.test(file.path) !== true
    }
    expect(broken(rule)).to.deep.equal([])
  })

  it('reach the machine only in system and in the drivers of ports', () => {
    const rule = (file: ParsedFile, { specifier }: Import): boolean => {
      if (!specifier.startsWith('node:') || pureModules.includes(specifier)) return false
      return !['system', 'cli'].includes(areaOf(file.path)) && drivers[file.path] === undefined
    }
    expect(broken(rule)).to.deep.equal([])
  })

  it('need every exception that is made for them', () => {
    const paths = productFiles().map(({ path }) => path)
    expect(Object.keys(drivers).filter((path) => !paths.includes(path))).to.deep.equal([])
  })

  it('have no circles', () => {
    expect(cycles()).to.deep.equal([])
  })
})
