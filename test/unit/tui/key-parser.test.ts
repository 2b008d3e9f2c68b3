import { expect } from 'chai'
import fc from 'fast-check'
import { KeyParser } from '../../../src/tui/key-parser.ts'
import type { Key } from '../../../src/tui/key-parser.ts'

function names(...chunks: string[]): string[] {
  const parser = new KeyParser()
  const keys = [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.flush()]
  return keys.map((key) => (key.kind === 'key' ? key.name : `${key.kind}:${key.text}`))
}

describe('keys', () => {
  it('are told apart, also when several come at once', () => {
    expect(names('a\r\x1b[A\x1bOB\x7f\t\x03ä')).to.deep.equal([
      ...['text:a', 'enter', 'up', 'down', 'backspace', 'tab', 'ctrl-c', 'text:ä'],
    ])
    expect(names('\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[1;5C')).to.deep.equal([
      'page-up',
      'page-down',
      'home',
      'end',
      'right',
    ])
  })

  it('may come in pieces', () => {
    expect(names('\x1b', '[', 'B')).to.deep.equal(['down'])
    expect(names('\x1b[200', '~q\x1b[20', '1~x')).to.deep.equal(['paste:q', 'text:x'])
  })

  it('have Esc among them, which nothing follows', () => {
    const parser = new KeyParser()
    expect(parser.push('\x1b')).to.deep.equal([])
    expect(parser.waits).to.equal(true)
    expect(parser.flush()).to.deep.equal([{ kind: 'key', name: 'escape' }])
    expect(names('\x1b', '\x1b')).to.deep.equal(['escape'])
    expect(names('\x1b\x1b[A')).to.deep.equal(['escape', 'up'])
  })

  it('are not made of what is pasted, marked or not', () => {
    expect(names('\x1b[200~q\ry\x1b[A\x1b[201~')).to.deep.equal(['paste:q\ry\x1b[A'])
    expect(names('q'.repeat(100))).to.deep.equal([`paste:${'q'.repeat(100)}`])
  })

  it('are not made of sequences that mean nothing here', () => {
    expect(names('\x1b[?62;c\x1b[12;40R\x1bx\x1b[<0;3;4M')).to.deep.equal([])
    expect(names(`\x1b[${'1;'.repeat(100)}`, 'a')).not.to.include('escape')
  })

  it('are safe whatever comes, however it is cut', () => {
    const garbage = fc.string({
      unit: fc.constantFrom('\x1b', '[', 'O', '2', '0', '1', '~', ';', 'A', 'q', '\r', '\0', 'é', '\x9b'),
    })
    fc.assert(
      fc.property(fc.array(garbage), (chunks) => {
        const parser = new KeyParser()
        const told = chunks.flatMap((chunk) => parser.push(chunk))
        told.push(...parser.flush())
        for (const key of told) if (key.kind === 'text') expect(key.text).to.match(/^[^\u0000-\u001f\u007f]$/u)
      }),
    )
  })

  it('are the same in one piece and character by character', () => {
    const known = fc.array(
      fc.constantFrom('a', '\r', '\x1b[A', '\x1b[5~', '\x1bOF', '\x1b[200~x\ry\x1b[201~', '\x03'),
      { maxLength: 9 },
    )
    const merged = (keys: readonly Key[]): string => JSON.stringify(keys)
    fc.assert(
      fc.property(known, (parts) => {
        const text = parts.join('')
        const [one, two] = [new KeyParser(), new KeyParser()]
        expect(merged([...text].flatMap((character) => one.push(character)))).to.equal(merged(two.push(text)))
      }),
    )
  })
})
