import { expect } from 'chai'
import { scheduleDoubt } from '../../../src/core/schedule-doubt.ts'
import type { AgentInfo } from '../../../src/core/schedules.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

const agent = (name: string, ...allow: string[]): AgentInfo => ({
  ...{ name, connected: true, known: name !== 'new', allow: allow.map(bytes) },
  ...{ hooks: [], lastSeenAtMs: 0, clockAheadMs: 0, runsMax: 1, running: 0, schedules: 0 },
  ...{ hostName: '', programVersion: '' },
})

describe('a doubt about a schedule', () => {
  const agents = [agent('web1', '/srv', '/var/www/'), agent('all', '/'), agent('new', '/')]
  const about = (name: string, path: string): string | undefined =>
    scheduleDoubt({ agent: name, path: bytes(path) }, agents)?.text

  it('is that its agent refuses the path', () => {
    expect(about('web1', '/elsewhere')).to.equal('web1 allows /srv, /var/www/, and refuses /elsewhere.')
    expect(about('web1', '/srv2')).to.contain('refuses /srv2')
    expect(about('web1', '/')).to.contain('refuses /')
  })

  it('is that no agent of the name is known', () => {
    expect(about('web9', '/srv')).to.equal('No agent "web9" has registered: known are web1, all.')
    expect(about('new', '/srv'), 'somebody only named it').to.contain('No agent "new"')
  })

  it('is none about what an agent allows', () => {
    for (const path of ['/srv', '/srv/site', '/var/www', '/var/www/a']) expect(about('web1', path)).to.equal(undefined)
    for (const path of ['/', '/etc']) expect(about('all', path)).to.equal(undefined)
  })
})
