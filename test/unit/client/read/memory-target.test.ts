import { restoreTargetContract } from '../../../contract/restore-target.contract.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'

describe('MemoryTarget', () => {
  restoreTargetContract(() => new MemoryTarget())
})
