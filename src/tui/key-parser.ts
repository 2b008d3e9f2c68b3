/** What a person does at the keyboard. */
export type Key =
  | { readonly kind: 'key'; readonly name: KeyName }
  /** One printable character. */
  | { readonly kind: 'text'; readonly text: string }
  /** It may hold anything, line ends and control characters included. */
  | { readonly kind: 'paste'; readonly text: string }

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace'
  | 'delete'
  | `ctrl-${string}`

const pasteStart = '\x1b[200~'
const pasteEnd = '\x1b[201~'
/** A sequence that is longer is none. */
const sequenceCharactersMax = 32
/** What is pasted beyond this is thrown away: no name is longer. */
const pasteCharactersMax = 4096
/** Nobody types so much at once: terminals that do not mark what is pasted send it like this. */
const typedAtOnceMax = 24

const named: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '3~': 'delete',
  '5~': 'page-up',
  '6~': 'page-down',
}

/**
 * Turns what a terminal sends into keys. Sequences may come in pieces; those that are not known are left out, so that
 * no garbage becomes a key.
 */
export class KeyParser {
  #pending = ''
  /** Of a paste that is not over; undefined outside of one. */
  #pasted: string | undefined

  /** Whether an escape character waits for what belongs to it; if nothing comes soon, it was the key: `flush`. */
  get waits(): boolean {
    return this.#pending !== '' && this.#pasted === undefined
  }

  push(chunk: string): Key[] {
    const keys: Key[] = []
    let rest = this.#pending + chunk
    this.#pending = ''
    while (rest !== '') {
      const taken = this.#pasted === undefined ? this.#take(rest, keys) : this.#takePaste(rest, keys)
      if (taken === 0) {
        this.#pending = rest
        break
      }
      rest = rest.slice(taken)
    }
    return keys
  }

  /** Nothing more came. */
  flush(): Key[] {
    const pending = this.#pending
    if (!this.waits) return []
    this.#pending = ''
    return pending === '\x1b' || pending === '\x1b\x1b' ? [{ kind: 'key', name: 'escape' }] : []
  }

  /** @returns how many characters were understood; 0 when more is needed */
  #take(text: string, keys: Key[]): number {
    if (text.startsWith('\x1b')) return this.#takeEscape(text, keys)
    const plain = /^[^\x00-\x1f\x7f\x1b]+/.exec(text)?.[0]
    if (plain === undefined) {
      const key = controlKey(text[0] ?? '')
      if (key !== undefined) keys.push(key)
      return 1
    }
    if (plain.length > typedAtOnceMax) keys.push({ kind: 'paste', text: plain.slice(0, pasteCharactersMax) })
    else for (const character of plain) keys.push({ kind: 'text', text: character })
    return plain.length
  }

  #takeEscape(text: string, keys: Key[]): number {
    if (text.startsWith(pasteStart)) {
      this.#pasted = ''
      return pasteStart.length
    }
    const sequence = /^\x1b(?:\[([0-9;:<=>?]*[ -/]*[@-~])|O([@-~]))/.exec(text)
    if (sequence !== null) {
      const name = nameOf(sequence[1] ?? sequence[2] ?? '')
      if (name !== undefined) keys.push({ kind: 'key', name })
      return sequence[0].length
    }
    const open = /^\x1b(?:\[[0-9;:<=>?]*[ -/]*|O)?$/.test(text) || text === '\x1b\x1b'
    if (open && text.length <= sequenceCharactersMax) return 0
    if (/^\x1b[[O]/.test(text)) return 2
    if (text.startsWith('\x1b\x1b')) {
      keys.push({ kind: 'key', name: 'escape' })
      return 1
    }
    // A character with Alt, which means nothing here.
    const [character = ''] = text.slice(1)
    return 1 + character.length
  }

  #takePaste(text: string, keys: Key[]): number {
    const end = text.indexOf(pasteEnd)
    // The end mark itself may come in two pieces.
    const sure = end === -1 ? text.length - (pasteEnd.length - 1) : end
    if (sure > 0) this.#pasted = `${this.#pasted ?? ''}${text.slice(0, sure)}`.slice(0, pasteCharactersMax)
    if (end === -1) return Math.max(0, sure)
    keys.push({ kind: 'paste', text: this.#pasted ?? '' })
    this.#pasted = undefined
    return end + pasteEnd.length
  }
}

function controlKey(character: string): Key | undefined {
  const code = character.charCodeAt(0)
  if (character === '\r' || character === '\n') return { kind: 'key', name: 'enter' }
  if (character === '\t') return { kind: 'key', name: 'tab' }
  if (character === '\x7f' || character === '\b') return { kind: 'key', name: 'backspace' }
  if (code >= 1 && code <= 26) return { kind: 'key', name: `ctrl-${String.fromCharCode(code + 96)}` }
  return undefined
}

function nameOf(sequence: string): KeyName | undefined {
  // With Shift, Alt or Ctrl there is a second number: `1;5A`.
  const bare = sequence.replace(/^1;\d+(?=[A-H]$)/, '').replace(/^(\d+);\d+~$/, '$1~')
  return Object.hasOwn(named, bare) ? named[bare] : undefined
}
