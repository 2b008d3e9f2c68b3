import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { makeDirectory } from '../../../src/system/directories.ts'
import { writeFileDurably } from '../../../src/system/durable-file.ts'
import { lockDirectory } from '../../../src/system/lock.ts'

const run = promisify(execFile)
const lockModule = join(import.meta.dirname, '../../../src/system/lock.ts')
const loggerModule = join(import.meta.dirname, '../../../src/system/logger.ts')

describe('files of the system', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twofold-system-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => (error as { code?: unknown }).code,
    )

  describe('the lock of a directory', () => {
    it('has one holder, also in one process', async () => {
      const lock = await lockDirectory(join(directory, 'new'))
      expect(await codeOf(lockDirectory(join(directory, 'new')))).to.equal('failed-precondition')
      lock.release()
      const again = await lockDirectory(join(directory, 'new'))
      again.release()
    })

    it('is released when its holder is killed', async () => {
      const script = `const { lockDirectory } = await import(${JSON.stringify(lockModule)})
        await lockDirectory(${JSON.stringify(directory)}); console.log('held'); setInterval(() => {}, 1000)`
      const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
      await once(holder.stdout, 'data')
      expect(await codeOf(lockDirectory(directory))).to.equal('failed-precondition')
      holder.kill('SIGKILL')
      await once(holder, 'exit')
      const lock = await lockDirectory(directory)
      lock.release()
    })

    it('is io where it cannot be made', async () => {
      await writeFile(join(directory, 'file'), '')
      expect(await codeOf(lockDirectory(join(directory, 'file/below')))).to.equal('io')
    })

    it('is io when the lock is no lock', async () => {
      await mkdir(join(directory, 'lock'))
      expect(await codeOf(lockDirectory(directory))).to.equal('io')
    })
  })

  describe('a directory', () => {
    it('is made with all its parents, and may be there already', async () => {
      await makeDirectory(join(directory, 'a/b/c'))
      await makeDirectory(join(directory, 'a/b/c/'))
      expect((await stat(join(directory, 'a/b/c'))).mode & 0o777).to.equal(0o700)
    })

    it('may be behind a link, but not be a file', async () => {
      await symlink(directory, join(directory, 'link'))
      await makeDirectory(join(directory, 'link/a'))
      await writeFile(join(directory, 'file'), '')
      expect(await codeOf(makeDirectory(join(directory, 'file')))).to.equal('already-exists')
    })

    it('is refused where the system has none, instead of trying forever', async () => {
      expect(await codeOf(makeDirectory('/proc/nothing/here'))).to.equal('not-found')
    })
  })

  describe('a durable file', () => {
    it('replaces what was there, leaves nothing beside it, and is private', async () => {
      const path = join(directory, 'node.json')
      await writeFileDurably(path, Buffer.from('a long first text'))
      await writeFileDurably(path, Buffer.from('second'))
      expect(await readFile(path, 'utf8')).to.equal('second')
      expect(await readdir(directory)).to.deep.equal(['node.json'])
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
    })

    it('goes over what a crash left', async () => {
      const path = join(directory, 'node.json')
      await writeFile(`${path}.tmp`, 'half of something long')
      await writeFileDurably(path, Buffer.from('whole'))
      expect(await readFile(path, 'utf8')).to.equal('whole')
    })

    it('says when there is no such directory', async () => {
      expect(await codeOf(writeFileDurably(join(directory, 'no/file'), Buffer.alloc(1)))).to.equal('not-found')
    })
  })

  describe('the log', () => {
    it('is one JSON object a line, with causes', async () => {
      const script = `const { createLogger } = await import(${JSON.stringify(loggerModule)})
        const logger = createLogger({ level: 'info', name: 'n1', destination: 'stdout' }).child({ node: 'n1' })
        logger.debug('not this')
        logger.warn('careful', { error: new Error('outer', { cause: new Error('inner') }) })
        process.kill(process.pid, 'SIGKILL')`
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]).catch(
        (error: unknown) => error as { stdout: string },
      )
      const lines = stdout.trim().split('\n')
      expect(lines).to.have.length(1)
      const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
      expect(line).to.include({ level: 'warn', name: 'n1', node: 'n1', msg: 'careful', error: 'outer: inner' })
      expect(Date.parse(String(line.time))).to.be.greaterThan(0)
    })
  })
})
