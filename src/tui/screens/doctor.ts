import type { Finding, FindingGrade } from '../../client/index.ts'
import { safeText } from '../../core/safe-text.ts'
import type { Key } from '../key-parser.ts'
import { isText, moveInList } from '../list-cursor.ts'
import { emptyLine, line, pad, span, wrapText } from '../lines.ts'
import type { Line, Tone } from '../lines.ts'
import { stay } from '../screen.ts'
import type { Next, Screen, Shared } from '../screen.ts'
import type { News } from '../work.ts'

export interface DoctorState {
  readonly findings: readonly Finding[]
  /** What is looked at; empty when it is over. */
  readonly stage: string
  /** Why it could not look at everything; empty when it could. */
  readonly problem: string
  readonly scroll: number
}

export const doctorScreen: Screen<DoctorState> = {
  title: 'Doctor',
  initial: { findings: [], stage: '', problem: '', scroll: 0 },
  help: [
    'It looks whether everything that a backup needs works from here, and says what to do where it does not.',
    'A pack is written to every node and read back. Nothing of that is kept; the history gets an abandoned backup.',
    'The same as a command, with an exit code for monitors: twofold doctor.',
  ],
  keys: (_, { running }) => [
    { key: '↑↓', does: 'scroll' },
    ...(running.includes('doctor') ? [] : [{ key: 'r', does: 'look again' }]),
  ],
  onOpen: (own, { running }) => (running.includes('doctor') ? stay(own) : begin()),
  onKey,
  onNews,
  view,
}

function begin(): Next<DoctorState> {
  const own = { ...doctorScreen.initial, stage: 'the connection to the manager' }
  return stay(own, { do: 'start', work: { kind: 'doctor' } })
}

function onKey(own: DoctorState, key: Key, { room, running }: Shared): Next<DoctorState> {
  if (isText(key, 'r') && !running.includes('doctor')) return begin()
  const moved = moveInList(key, own.scroll, {
    count: Math.max(1, allLines(own, room.columns).length - room.rows + 3),
    rows: room.rows,
  })
  return moved === undefined ? stay(own) : stay({ ...own, scroll: moved })
}

function onNews(own: DoctorState, news: News): Next<DoctorState> {
  if (news.kind === 'finding') return stay({ ...own, findings: [...own.findings, news.finding] })
  if (news.kind === 'stage') return stay({ ...own, stage: news.what })
  if (news.kind === 'ended' && news.work.kind === 'doctor')
    return stay({ ...own, stage: '', problem: news.problem ?? '' })
  return stay(own)
}

const tones: Readonly<Record<FindingGrade, Tone>> = { ok: 'good', note: 'dim', warning: 'warn', failure: 'bad' }
const marks: Readonly<Record<FindingGrade, string>> = { ok: '✓', note: '·', warning: '!', failure: '✗' }
const indent = 18

function view(own: DoctorState, { room, spinner }: Shared): Line[] {
  const all = allLines(own, room.columns)
  const rows = Math.max(1, room.rows - 2)
  // While it looks, the newest finding is in sight.
  const last = Math.max(0, all.length - rows)
  const start = own.stage === '' ? Math.min(own.scroll, last) : last
  return [stageLine(own, spinner), emptyLine, ...all.slice(start, start + rows)]
}

function stageLine({ stage, problem, findings }: DoctorState, spinner: string): Line {
  if (stage !== '') return line(span(`${spinner} looking at ${stage} …`, 'accent'))
  if (problem !== '') return line(span(safeText(problem), 'bad'))
  const count = (grade: FindingGrade): number => findings.filter((each) => each.grade === grade).length
  const [failures, warnings] = [count('failure'), count('warning')]
  if (failures + warnings === 0) return line(span('Everything works.', 'good'))
  const text = `${failures} failed, ${warnings} to look at: what to do stands below each.`
  return line(span(text, failures > 0 ? 'bad' : 'warn'))
}

function allLines({ findings }: DoctorState, columns: number): Line[] {
  return findings.flatMap(({ check, grade, text, advice }) => {
    const [first = '', ...rest] = wrapText(safeText(text), columns - indent)
    const advised = advice === '' ? [] : wrapText(safeText(advice), columns - indent - 2)
    return [
      line(span(` ${marks[grade]} `, tones[grade]), pad(check, indent - 3, 'dim'), span(first)),
      ...rest.map((part) => line(' '.repeat(indent), part)),
      ...advised.map((part, at) => line(' '.repeat(indent), span(`${at === 0 ? '→' : ' '} ${part}`, 'accent'))),
    ]
  })
}
