import { expect } from 'chai'
import { AdminService } from '../../../src/gen/twofold/v1/admin.ts'
import { AgentsService } from '../../../src/gen/twofold/v1/agents.ts'
import { SchedulesService } from '../../../src/gen/twofold/v1/schedules.ts'
import { FilesService } from '../../../src/gen/twofold/v1/files.ts'
import { ManagerService } from '../../../src/gen/twofold/v1/manager.ts'
import { ReplicationService } from '../../../src/gen/twofold/v1/replication.ts'
import { StorageService } from '../../../src/gen/twofold/v1/storage.ts'
import { idempotency } from '../../../src/rpc/idempotency.ts'

describe('the table of idempotency', () => {
  it('has every call of the protocol, and nothing else', () => {
    const people = [ManagerService, AdminService, SchedulesService, AgentsService, FilesService]
    const services = [...people, StorageService, ReplicationService]
    const paths = services.flatMap((service) => Object.values(service).map(({ path }) => path as string))
    expect(Object.keys(idempotency).sort()).to.deep.equal(paths.sort())
  })
})
