import { expect } from 'chai'
import { formatAddress, isLoopback, parseAddress } from '../../../src/rpc/address.ts'

describe('address', () => {
  const good: [string, string, number][] = [
    ['127.0.0.1:7400', '127.0.0.1', 7400],
    ['localhost:0', 'localhost', 0],
    ['node-1.example.org:65535', 'node-1.example.org', 65_535],
    ['[::1]:7400', '::1', 7400],
    ['[fe80::1%eth0]:7400', 'fe80::1%eth0', 7400],
  ]
  for (const [text, host, port] of good) {
    it(`reads ${text}`, () => {
      expect(parseAddress(text)).to.deep.equal({ host, port })
      expect(formatAddress({ host, port })).to.equal(text)
    })
  }

  for (const text of [
    '',
    ':7400',
    'host',
    'host:',
    'host:65536',
    '::1:7400',
    'host:74x',
    'unix:/tmp/x',
    'a b:1',
    'http://h:1',
  ]) {
    it(`refuses "${text}"`, () => {
      expect(() => parseAddress(text))
        .to.throw(/not an address/)
        .with.property('code', 'invalid-argument')
    })
  }

  it('knows loopback', () => {
    expect(['127.0.0.1', '127.9.9.9', 'localhost', '::1'].every(isLoopback)).to.equal(true)
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', '1127.0.0.1', ''].some(isLoopback)).to.equal(false)
  })
})
