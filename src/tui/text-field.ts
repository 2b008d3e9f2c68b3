import { tuiFieldCharactersMax } from '../core/client-limits.ts'
import { safeText } from '../core/safe-text.ts'
import { cutTextLeft } from '../core/text-width.ts'
import type { Key } from './key-parser.ts'

/** Characters that nobody types into a name; a line end in what is pasted ends it. */
const control = /[\u0000-\u001f\u007f-\u009f]/g

/** What a text becomes by a key; undefined when the key is no editing. */
export function editText(text: string, key: Key): string | undefined {
  if (key.kind === 'text') return limited(text + key.text)
  if (key.kind === 'paste') return limited(text + (key.text.split(/[\r\n]/, 1)[0] ?? '').replace(control, ''))
  if (key.name === 'backspace') return [...text].slice(0, -1).join('')
  if (key.name === 'ctrl-u') return ''
  if (key.name === 'ctrl-w') return text.replace(/[^\s/]*[\s/]*$/, '')
  return undefined
}

function limited(text: string): string {
  return [...text].slice(0, tuiFieldCharactersMax).join('')
}

/** The end of what was typed, with a cursor. */
export function fieldText(text: string, columns: number): string {
  return `${cutTextLeft(safeText(text), columns - 1)}▏`
}
