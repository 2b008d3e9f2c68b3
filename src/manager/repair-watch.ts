import type { RepairActivity } from '../core/model.ts'

/** What is done about packs with too few copies. It is asked for each snapshot that is shown, so it must be cheap. */
export interface RepairWatch {
  /** `running` while copies are made, `waiting` while there is something to copy and nothing can be done now. */
  activity(): RepairActivity
}
