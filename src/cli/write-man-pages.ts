import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { allManPages } from './all-man-pages.ts'

/** `make man`: writes every page into the folder that is named. */
const folder = process.argv[2] ?? 'dist/man/man1'
await mkdir(folder, { recursive: true })
const pages = await allManPages()
for (const { file, text } of pages) await writeFile(join(folder, file), text)
process.stdout.write(`${pages.length} pages in ${folder}\n`)
