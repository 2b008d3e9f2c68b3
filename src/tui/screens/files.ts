import { posix } from 'node:path'
import type { FileVersionInfo } from '../../client/index.ts'
import { safeText } from '../../core/safe-text.ts'
import { emptyList, filtered, listKey } from '../folder-list.ts'
import type { ListState } from '../folder-list.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText } from '../list-cursor.ts'
import { stay, yesOrNo } from '../screen.ts'
import type { KeyHint, Next, Screen, Shared } from '../screen.ts'
import { editText } from '../text-field.ts'
import type { FileAct, News } from '../work.ts'
import { filesView } from './files-view.ts'

export interface FilesState {
  /** The newest version of each; undefined until they are there. */
  readonly files: readonly FileVersionInfo[] | undefined
  /** Whether there are more than are listed. */
  readonly more: boolean
  readonly problem: string
  readonly list: ListState
  readonly versions: Versions | undefined
  readonly form: Form | undefined
}

export interface Versions {
  readonly name: string
  /** The newest first; undefined until they are there. */
  readonly items: readonly FileVersionInfo[] | undefined
  readonly list: ListState
}

/** Something that is asked, one after the other. */
export interface Form {
  /** `path`: of a file here that is stored. `name`: what it is to be called. `save`: where a version is written to. */
  readonly step: 'path' | 'name' | 'save'
  readonly text: string
  /** The file that was named before. */
  readonly path: Uint8Array | undefined
  /** Of the stored file, once it is clear. */
  readonly name: string | undefined
  readonly version: number
  readonly problem: string
}

export const filesScreen: Screen<FilesState> = {
  title: 'Files',
  initial: { files: undefined, more: false, problem: '', list: emptyList, versions: undefined, form: undefined },
  help: [
    'Single files that are stored by name, each with all its versions. They are kept like backups: copied, fsynced.',
    'u stores a file of this machine under a name; a name that is there gets one more version. x deletes: the file has',
    'no newest version then, and its older ones stay; z brings one of them back. s writes a version to a file here.',
  ],
  keys,
  onOpen: (own) => stay(own, { do: 'start', work: { kind: 'list-files' } }),
  onKey,
  onNews,
  isTyping: ({ form, list, versions }) => form !== undefined || (versions === undefined && list.typing),
  view: (own, shared) => filesView(own, shared, shownFiles(own)),
}

export function shownFiles({ files, list }: FilesState): readonly FileVersionInfo[] {
  return filtered(files ?? [], list.filter, ({ name }) => name)
}

function keys({ form, list, versions }: FilesState): KeyHint[] {
  if (form !== undefined)
    return [{ key: 'Enter', does: form.step === 'path' ? 'go on' : form.step === 'name' ? 'store it' : 'write it' }]
  if (versions !== undefined)
    return [
      { key: 'z', does: 'bring back' },
      { key: 's', does: 'save here' },
    ]
  if (list.typing) return [{ key: 'Enter', does: 'keep the filter' }]
  return [
    { key: 'Enter', does: 'versions' },
    { key: 'u', does: 'upload' },
    { key: 'e', does: 'update' },
    { key: 'x', does: 'delete' },
    { key: 'z', does: 'undelete' },
    { key: '/', does: 'filter' },
  ]
}

function onKey(own: FilesState, key: Key, shared: Shared): Next<FilesState> {
  if (own.form !== undefined) return formKey(own, own.form, key, shared)
  return own.versions === undefined ? fileKey(own, key, shared) : versionKey(own, own.versions, key, shared)
}

const emptyForm: Form = { step: 'path', text: '', path: undefined, name: undefined, version: 0, problem: '' }

function fileKey(own: FilesState, key: Key, shared: Shared): Next<FilesState> {
  const files = shownFiles(own)
  const list = listKey(own.list, key, { count: files.length, rows: shared.room.rows })
  if (list !== undefined) return stay({ ...own, list })
  if (isText(key, 'u')) return stay({ ...own, form: emptyForm })
  const file = files[clampTo(own.list.selected, files.length)]
  if (file === undefined) return stay(own)
  const { name, version, deleted } = file
  if (isKey(key, 'enter', 'right')) {
    const versions = { name, items: undefined, list: emptyList }
    return stay({ ...own, versions }, { do: 'start', work: { kind: 'list-versions', name } })
  }
  if (isText(key, 'e')) return stay({ ...own, form: { ...emptyForm, name } })
  if (isText(key, 'z')) {
    if (!deleted) return stay(own, { do: 'tell', text: `${safeText(name)} is not deleted; Enter shows its versions.` })
    // The deletion itself is counted as a version.
    return act(own, { name, act: { do: 'bring-back', version: version - 1 } }, shared)
  }
  if (isText(key, 'x') && !deleted) {
    const text = ['Its versions stay, and any of them can be brought back.']
    const effects = [{ do: 'start', work: { kind: 'change-file', name, act: { do: 'delete' } } }] as const
    return stay(own, yesOrNo(`Delete ${safeText(name)}?`, text, { label: 'yes, delete it', effects }))
  }
  return stay(own)
}

/** One after the other: what is stored must not be given up for the next. */
function act(own: FilesState, what: { name: string; act: FileAct }, { running }: Shared): Next<FilesState> {
  if (!running.includes('change-file')) return stay(own, { do: 'start', work: { kind: 'change-file', ...what } })
  return stay(own, { do: 'tell', text: 'The last change is still under way.', tone: 'warn' })
}

function versionKey(own: FilesState, versions: Versions, key: Key, shared: Shared): Next<FilesState> {
  if (isKey(key, 'escape', 'left', 'backspace')) return stay({ ...own, versions: undefined })
  const items = versions.items ?? []
  if (isText(key, '/')) return stay(own)
  const list = listKey(versions.list, key, { count: items.length, rows: shared.room.rows })
  if (list !== undefined) return stay({ ...own, versions: { ...versions, list } })
  const chosen = items[clampTo(versions.list.selected, items.length)]
  if (chosen === undefined || chosen.deleted) return stay(own)
  const { name, version } = chosen
  if (isText(key, 'z')) return act(own, { name, act: { do: 'bring-back', version } }, shared)
  if (isText(key, 's'))
    return stay({ ...own, form: { ...emptyForm, step: 'save', text: posix.basename(name), name, version } })
  return stay(own)
}

function formKey(own: FilesState, form: Form, key: Key, shared: Shared): Next<FilesState> {
  if (isKey(key, 'escape')) return stay({ ...own, form: undefined })
  const text = editText(form.text, key)
  if (text !== undefined) return stay({ ...own, form: { ...form, text, problem: '' } })
  if (!isKey(key, 'enter') || form.text.trim() === '') return stay(own)
  const path = Buffer.from(
    posix.resolve(Buffer.from(shared.root).toString('latin1'), Buffer.from(form.text).toString('latin1')),
    'latin1',
  )
  if (form.step === 'save')
    return act(own, { name: form.name ?? '', act: { do: 'save', version: form.version, path } }, shared)
  if (form.step === 'name') return act(own, { name: form.text, act: { do: 'put', path: form.path ?? path } }, shared)
  if (form.name !== undefined) return act(own, { name: form.name, act: { do: 'put', path } }, shared)
  return stay({ ...own, form: { ...form, step: 'name', path, text: posix.basename(form.text) } })
}

function onNews(own: FilesState, news: News): Next<FilesState> {
  switch (news.kind) {
    case 'files':
      return stay({ ...own, files: news.items, more: news.more, problem: '' })
    case 'versions':
      if (own.versions?.name !== news.name) return stay(own)
      return stay({ ...own, versions: { ...own.versions, items: news.versions } })
    case 'file-changed': {
      const again =
        own.versions === undefined
          ? []
          : [{ do: 'start', work: { kind: 'list-versions', name: own.versions.name } } as const]
      const told = { do: 'tell', text: news.text, tone: 'good' } as const
      return stay({ ...own, form: undefined }, told, { do: 'start', work: { kind: 'list-files' } }, ...again)
    }
    case 'ended':
      return ended(own, news)
    default:
      return stay(own)
  }
}

function ended(own: FilesState, { work, problem }: Extract<News, { kind: 'ended' }>): Next<FilesState> {
  if (problem === undefined) return stay(own)
  if (work.kind === 'list-files') return stay({ ...own, problem })
  if (work.kind === 'change-file' && own.form !== undefined) {
    // What was typed is there to be mended: a wrong name is asked for again.
    const step = own.form.step === 'name' ? 'path' : own.form.step
    const text = own.form.step === 'name' ? '' : own.form.text
    return stay({ ...own, form: { ...own.form, step, text, problem } })
  }
  const ours = work.kind === 'change-file' || work.kind === 'list-versions'
  return ours ? stay(own, { do: 'tell', text: problem, tone: 'bad' }) : stay(own)
}
