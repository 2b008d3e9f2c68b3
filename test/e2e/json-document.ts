/** What `docs/json.md` says of the fields of each line, so that tests can compare it with what is printed. */
import { readFileSync } from 'node:fs'

interface Field {
  readonly optional: boolean
  readonly list: boolean
  /** The section that has the fields of the value. */
  readonly thing: string | undefined
}

type Section = ReadonlyMap<string, Field>

export class JsonDocument {
  readonly #sections = new Map<string, Section>()
  /** Sections that some line was compared with. */
  readonly used = new Set<string>()

  constructor(path: string) {
    let title = ''
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const heading = /^##+ (.*)$/.exec(line)
      if (heading !== null) title = heading[1] ?? ''
      const row = /^\| `([a-z_0-9]+)(\[\])?(\?)?` *\| ([^|]*)\|/.exec(line)
      if (row === null) continue
      const [, name = '', list, optional, type = ''] = row
      const thing = /_([A-Za-z]+)_/.exec(type)?.[1]
      const section = new Map(this.#sections.get(title))
      section.set(name, { optional: optional !== undefined, list: list !== undefined, thing })
      this.#sections.set(title, section)
    }
  }

  /** Sections that describe lines, and not things within them. */
  get titles(): string[] {
    const things = new Set([...this.#sections.values()].flatMap((fields) => [...fields.values()].map((f) => f.thing)))
    return [...this.#sections.keys()].filter((title) => !things.has(title))
  }

  /** What is different between a value and what the sections say of it together, in words. */
  differences(value: unknown, ...titles: readonly string[]): string[] {
    const fields = new Map<string, Field>()
    for (const title of titles) {
      const section = this.#sections.get(title)
      if (section === undefined) return [`there is no section "${title}"`]
      this.used.add(title)
      for (const [name, field] of section) fields.set(name, field)
    }
    const record = value as Record<string, unknown>
    const where = titles.join(' and ')
    const missing = [...fields].flatMap(([name, { optional }]) => (optional || name in record ? [] : [name]))
    const unknown = Object.keys(record).filter((name) => !fields.has(name))
    return [
      ...missing.map((name) => `${where}: ${name} is not printed`),
      ...unknown.map((name) => `${where}: ${name} is not documented`),
      ...[...fields].flatMap(([name, field]) =>
        name in record ? this.#below(record[name], field, `${where}.${name}`) : [],
      ),
    ]
  }

  #below(value: unknown, { list, thing }: Field, where: string): string[] {
    if (list !== Array.isArray(value) && thing !== undefined)
      return [`${where}: whether it is a list is not as documented`]
    if (thing === undefined || value === null) return []
    const values = Array.isArray(value) ? (value as unknown[]) : [value]
    return values.flatMap((each) => this.differences(each, thing))
  }
}
