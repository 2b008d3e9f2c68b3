import { expect } from 'chai'
import {
  fileBytesLarge,
  fileBytesSmall,
  filesLargeAdmitted,
  filesPatienceMs,
  filesSmallAdmitted,
} from '../../../src/core/limits.ts'
import { FilesRoom } from '../../../src/gateway/files-room.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { expectError } from '../../support/expect-error.ts'

/** So many bytes, in parts of 64 KiB. */
async function* content(bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += 65_536) yield new Uint8Array(Math.min(65_536, bytes - at))
}

describe('room for files', () => {
  const long = fileBytesSmall + 1

  it('is for so many small ones and a few long ones, which are refused after a while', async () => {
    const clock = new AutoClock()
    const room = new FilesRoom(clock)
    const drain = async (bytes: number): Promise<() => void> => {
      const { passing, leave } = await room.enter(undefined)
      let passed = 0
      try {
        for await (const part of passing(content(bytes))) passed += part.length
      } catch (error) {
        leave()
        throw error
      }
      expect(passed).to.equal(bytes)
      return leave
    }
    const leaves: (() => void)[] = []
    for (let n = 0; n < filesLargeAdmitted / fileBytesLarge; n++) leaves.push(await drain(long))
    await expectError(drain(long), 'overloaded')
    expect(clock.monotonicMs()).to.equal(filesPatienceMs)
    while (leaves.length < filesSmallAdmitted / fileBytesSmall) leaves.push(await drain(fileBytesSmall))
    await expectError(drain(1), 'overloaded')
    leaves.shift()?.()
    leaves.push(await drain(long))
  })
})
