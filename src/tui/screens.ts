import { asAny } from './screen.ts'
import type { AnyScreen, ScreenName } from './screen.ts'
import { backupScreen } from './screens/backup.ts'
import { browseScreen } from './screens/browse.ts'
import { clusterScreen } from './screens/cluster.ts'
import { doctorScreen } from './screens/doctor.ts'
import { filesScreen } from './screens/files.ts'
import { historyScreen } from './screens/history.ts'
import { homeScreen } from './screens/home.ts'
import { schedulesScreen } from './screens/schedules.ts'

/** All screens by their names. */
export const screens: Readonly<Record<ScreenName, AnyScreen>> = {
  home: asAny(homeScreen),
  backup: asAny(backupScreen),
  browse: asAny(browseScreen),
  files: asAny(filesScreen),
  history: asAny(historyScreen),
  cluster: asAny(clusterScreen),
  schedules: asAny(schedulesScreen),
  doctor: asAny(doctorScreen),
}
