import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { damagePack, damages } from '../../chaos/damage-pack.ts'

describe('damage to a pack', () => {
  let folder: string
  let files: string[]
  const content = (number: number): Buffer => Buffer.alloc(1000, `pack ${number}`)

  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'twofold-damage-'))
    files = [0, 1, 2].map((number) => join(folder, `${number}.pack`))
    for (const [number, file] of files.entries()) fs.writeFileSync(file, content(number))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('is done to exactly one, in each way, and is never none', () => {
    const seen = new Set<string>()
    for (let amount = 0; amount < 5000; amount += 97) {
      const what = damagePack(files, amount) ?? ''
      const hurt = files.filter(
        (file, number) => !fs.existsSync(file) || !fs.readFileSync(file).equals(content(number)),
      )
      expect(hurt, `${amount}: ${what}`).to.have.length(1)
      expect(what).to.include(hurt[0])
      seen.add(what.slice(what.indexOf(': ') + 2))
      for (const [number, file] of files.entries()) fs.writeFileSync(file, content(number))
    }
    expect([...seen]).to.have.members([...damages])
  })

  it('cannot be done to nothing, nor to what is gone meanwhile, and makes no file', () => {
    expect(damagePack([], 7)).to.equal(undefined)
    for (const file of files) fs.unlinkSync(file)
    for (let amount = 0; amount < damages.length; amount++) expect(damagePack(files, amount)).to.equal(undefined)
    expect(fs.readdirSync(folder)).to.deep.equal([])
  })
})
