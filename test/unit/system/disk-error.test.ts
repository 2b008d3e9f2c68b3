import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { classified, classify } from '../../../src/system/disk-error.ts'

const systemError = (code: string): Error => Object.assign(new Error(`${code}: details`), { code })

describe('errors of the file system', () => {
  const cases: [string, string][] = [
    ['ENOENT', 'not-found'],
    ['EEXIST', 'already-exists'],
    ['ENOSPC', 'no-room'],
    ['EDQUOT', 'no-room'],
    ['EIO', 'io'],
    ['EACCES', 'io'],
    ['EPERM', 'io'],
    ['EROFS', 'io'],
    ['EMFILE', 'overloaded'],
    ['ENFILE', 'overloaded'],
    ['ENOMEM', 'overloaded'],
    ['ENOTDIR', 'io'],
    ['ESTALE', 'io'],
  ]
  for (const [system, code] of cases) {
    it(`calls ${system} ${code}`, () => {
      const original = systemError(system)
      const error = classify(original, 'read ab.pack')
      expect(error.code).to.equal(code)
      expect(error.message).to.match(/^cannot read ab\.pack: /)
      expect(error.cause).to.equal(original)
    })
  }

  it('says what to do about what a person can change, and when to try again what passes', () => {
    expect(classify(systemError('EACCES'), 'read').message).to.contain('give the data directory back')
    expect(classify(systemError('EROFS'), 'read').message).to.contain('mount it for writing')
    expect(classify(systemError('EMFILE'), 'read').retryAfterMs).to.be.greaterThan(0)
    expect(classify(systemError('EIO'), 'read').retryAfterMs).to.equal(undefined)
  })

  it('calls what has no code io, and leaves ours alone', () => {
    expect(classify(new Error('x'), 'read').code).to.equal('io')
    expect(classify(undefined, 'read').code).to.equal('io')
    const ours = new TwofoldError('integrity', 'x')
    expect(classify(ours, 'read')).to.equal(ours)
  })

  it('classifies what work throws', async () => {
    const error = await classified('write a', () => Promise.reject(systemError('ENOSPC'))).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).to.include({ code: 'no-room', message: 'cannot write a: the disk is full' })
  })
})
