/** Numbers and names of `/etc/passwd` or `/etc/group`; the first name of a number counts, as in the C library. */
export function parseAccountNames(text: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':')
    if (name === undefined || name === '' || number === undefined || !/^\d+$/.test(number)) continue
    if (!names.has(Number(number))) names.set(Number(number), name)
  }
  return names
}
