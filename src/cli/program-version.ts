/** The version in `package.json`. */
export function readVersion(): string {
  // An import would make all of `node:fs` ready, with its promises, which takes a third of the time that a start has.
  const fs = process.getBuiltinModule('node:fs')
  const text = fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** What the program calls itself, to people and in snapshots. */
export function readProgramName(): string {
  return `twofold ${readVersion()}`
}
