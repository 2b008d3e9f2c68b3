import { expect } from 'chai'
import { FramePainter } from '../../../src/tui/frame-painter.ts'
import { FakeTty } from '../../support/fake-tty.ts'

describe('the painter of frames', () => {
  it('changes what is different, and nothing else', () => {
    const { output, screen } = new FakeTty(10, 3)
    const painter = new FramePainter(output)
    painter.write('one\ntwo\nthree')
    expect(screen.lines()).to.deep.equal(['one', 'two', 'three'])
    const before = output.writes
    painter.write('one\ntwo\nthree')
    expect(output.writes).to.equal(before)
    // What somebody else wrote to a line that stays is not touched.
    output.write('\x1b[1;1HONE')
    painter.write('one\n2\nthree')
    expect(screen.lines()).to.deep.equal(['ONE', '2', 'three'])
    painter.write('one')
    expect(screen.lines()).to.deep.equal(['ONE', '', ''])
  })

  it('paints everything after the window changed', () => {
    const tty = new FakeTty(10, 3)
    const painter = new FramePainter(tty.output)
    painter.write('one\ntwo')
    tty.output.write('\x1b[2J')
    painter.invalidate()
    painter.write('one\ntwo')
    expect(tty.screen.lines()).to.deep.equal(['one', 'two', ''])
  })

  it('keeps only the newest frame for a terminal that is slow', () => {
    const { output, screen } = new FakeTty(10, 3)
    const painter = new FramePainter(output)
    output.full = true
    painter.write('1')
    const before = output.writes
    for (let frame = 2; frame <= 100; frame++) painter.write(String(frame))
    expect(output.writes).to.equal(before)
    output.full = false
    output.emit('drain')
    expect(output.writes).to.equal(before + 1)
    expect(screen.lines()[0]).to.equal('100')
  })

  it('paints nothing any more when it is closed', () => {
    const { output } = new FakeTty(10, 3)
    const painter = new FramePainter(output)
    painter.close()
    painter.write('1')
    expect(output.writes).to.equal(0)
  })
})
