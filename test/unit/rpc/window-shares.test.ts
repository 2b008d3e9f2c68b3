import { expect } from 'chai'
import { flowControlWindowBytes, flowControlWindowBytesMin, streamWindowsBytes } from '../../../src/core/limits.ts'
import { windowBytesFor } from '../../../src/rpc/window-shares.ts'

describe('windowBytesFor', () => {
  it('gives whole windows to few streams', () => {
    expect(windowBytesFor(1)).to.equal(flowControlWindowBytes)
    expect(windowBytesFor(streamWindowsBytes / flowControlWindowBytes)).to.equal(flowControlWindowBytes)
  })

  it('stays within what there is to share, until each has the least', () => {
    for (let streams = 1; streams <= 2000; streams++) {
      const bytes = windowBytesFor(streams)
      expect(bytes).to.be.within(flowControlWindowBytesMin, flowControlWindowBytes)
      if (bytes > flowControlWindowBytesMin) expect(bytes * streams).to.be.at.most(streamWindowsBytes)
    }
    expect(windowBytesFor(1e6)).to.equal(flowControlWindowBytesMin)
  })
})
