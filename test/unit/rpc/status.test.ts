import { Metadata, status as Status } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import { expect } from 'chai'
import { InvariantError, TwofoldError, errorCodes } from '../../../src/core/errors.ts'
import { ErrorDetail } from '../../../src/gen/twofold/v1/common.ts'
import { errorTrailer, fromStatus, isUnexpected, statusOfCode, toStatus } from '../../../src/rpc/status.ts'
import type { WireStatus } from '../../../src/rpc/status.ts'

const received = (status: WireStatus): ServiceError => Object.assign(new Error(status.details), status)

const bare = (code: Status, details: string, metadata = new Metadata()): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata })

describe('status', () => {
  for (const code of errorCodes) {
    it(`carries ${code} there and back`, () => {
      const fields = { pack: 'ab', node: 'n1' }
      const sent = new TwofoldError(code, 'what happened', { fields, retryAfterMs: 250, cause: new Error('secret') })
      const back = fromStatus(received(toStatus(sent)), 'n1:7401')
      expect(back.code).to.equal(code)
      expect(back.message).to.equal('what happened')
      expect(back.fields).to.deep.equal(fields)
      expect(back.retryAfterMs).to.equal(250)
      expect(back.cause).to.equal(undefined)
    })
  }

  it('has a canonical status other than OK and UNKNOWN for every code', () => {
    expect(Object.keys(statusOfCode).sort()).to.deep.equal([...errorCodes].sort())
    for (const status of Object.values(statusOfCode)) expect(status).to.be.within(1, 15).and.not.equal(Status.UNKNOWN)
  })

  it('sends nothing of an unexpected error', () => {
    const status = toStatus(new Error('the password is xyzzy'))
    expect(status.code).to.equal(Status.INTERNAL)
    expect(JSON.stringify([status.details, status.metadata.toJSON()])).not.to.contain('xyzzy')
    const detail = ErrorDetail.decode(status.metadata.get(errorTrailer)[0] as Buffer)
    expect(detail.message).not.to.contain('xyzzy')
  })

  it('says which errors somebody should look at', () => {
    expect(isUnexpected(new Error('x'))).to.equal(true)
    expect(isUnexpected(new InvariantError('x'))).to.equal(true)
    expect(isUnexpected(new TwofoldError('internal', 'x'))).to.equal(true)
    expect(isUnexpected(new TwofoldError('not-found', 'x'))).to.equal(false)
  })

  it('keeps trailers small and encodable, whatever is in the error', () => {
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, '\ud800'.repeat(10_000)]))
    const status = toStatus(new TwofoldError('io', '\udc00'.repeat(100_000), { fields }))
    expect(() => encodeURI(status.details)).not.to.throw()
    expect((status.metadata.get(errorTrailer)[0] as Buffer).length).to.be.lessThan(24 * 1024)
  })

  it('gives an error without waiting time none', () => {
    expect(fromStatus(received(toStatus(new TwofoldError('no-room', 'x'))), 'p').retryAfterMs).to.equal(undefined)
  })

  it('says how long to wait also in the words that other libraries know', () => {
    const { metadata } = toStatus(new TwofoldError('overloaded', 'full', { retryAfterMs: 1250 }))
    expect(metadata.get('grpc-retry-pushback-ms')).to.deep.equal(['1250'])
    const info = metadata.get('grpc-status-details-bin')[0] as Buffer
    // As protoc encodes: code: 8, message: "full", details { [type.googleapis.com/google.rpc.RetryInfo] { … } }
    const url = Buffer.from('type.googleapis.com/google.rpc.RetryInfo')
    const delay = Buffer.from('0a0708011080e59a77', 'hex')
    const any = Buffer.concat([Buffer.from([0x0a, url.length]), url, Buffer.from([0x12, delay.length]), delay])
    const status = [Buffer.from('0808120466756c6c', 'hex'), Buffer.from([0x1a, any.length]), any]
    expect(info.toString('hex')).to.equal(Buffer.concat(status).toString('hex'))
    expect(toStatus(new TwofoldError('no-room', 'x')).metadata.get('grpc-retry-pushback-ms')).to.deep.equal([])
  })

  const bareCodes: [Status, string][] = [
    [Status.CANCELLED, 'unavailable'],
    [Status.UNKNOWN, 'internal'],
    [Status.INVALID_ARGUMENT, 'invalid-argument'],
    [Status.DEADLINE_EXCEEDED, 'deadline-exceeded'],
    [Status.NOT_FOUND, 'not-found'],
    [Status.ALREADY_EXISTS, 'already-exists'],
    [Status.PERMISSION_DENIED, 'permission-denied'],
    [Status.RESOURCE_EXHAUSTED, 'invalid-argument'],
    [Status.FAILED_PRECONDITION, 'failed-precondition'],
    [Status.ABORTED, 'unavailable'],
    [Status.OUT_OF_RANGE, 'out-of-range'],
    [Status.UNIMPLEMENTED, 'unsupported'],
    [Status.INTERNAL, 'internal'],
    [Status.UNAVAILABLE, 'unavailable'],
    [Status.DATA_LOSS, 'integrity'],
    [Status.UNAUTHENTICATED, 'permission-denied'],
  ]
  for (const [status, code] of bareCodes) {
    it(`reads a bare ${Status[status]} as ${code}`, () => {
      const error = fromStatus(bare(status, 'words'), 'n1:7401')
      expect(error.code).to.equal(code)
      expect(error.message).to.contain('n1:7401')
    })
  }

  it('reads a code that it does not know by its status, and keeps the message', () => {
    const metadata = new Metadata()
    const detail = { code: 'from-the-future', message: 'newer words', retryAfterMs: 0, fields: {} }
    metadata.set(errorTrailer, Buffer.from(ErrorDetail.encode(detail).finish()))
    const error = fromStatus(bare(Status.NOT_FOUND, 'x', metadata), 'p')
    expect([error.code, error.message]).to.deep.equal(['not-found', 'newer words'])
  })

  it('reads a broken trailer by its status', () => {
    const metadata = new Metadata()
    metadata.set(errorTrailer, Buffer.from([0xff, 0xff, 0xff]))
    expect(fromStatus(bare(Status.NOT_FOUND, 'x', metadata), 'p').code).to.equal('not-found')
  })

  it('says what to do when nobody answers', () => {
    const error = fromStatus(bare(Status.UNAVAILABLE, 'connect ECONNREFUSED 127.0.0.1:7400'), '127.0.0.1:7400')
    expect(error.message).to.match(/cannot reach 127\.0\.0\.1:7400: is it running/)
  })
})
