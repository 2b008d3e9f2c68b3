import type { DefineCommand } from './command-setup.ts'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** Loads what the command needs: starting must be quick for those that need little. */
  readonly load: () => Promise<DefineCommand>
}

/** All commands in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'tui',
    summary: 'open the full-screen client, as no command at all does on a terminal',
    load: async () => (await import('./commands/tui.ts')).defineTui,
  },
  {
    name: 'backup',
    summary: 'save files and folders as a new snapshot',
    load: async () => (await import('./commands/backup.ts')).defineBackup,
  },
  {
    name: 'restore',
    summary: 'bring a snapshot, or a part of it, back to disk',
    load: async () => (await import('./commands/restore.ts')).defineRestore,
  },
  {
    name: 'snapshots',
    summary: 'list snapshots and how many copies they have',
    load: async () => (await import('./commands/snapshots.ts')).defineSnapshots,
  },
  {
    name: 'forget',
    summary: 'forget snapshots by a policy or by id',
    load: async () => (await import('./commands/forget.ts')).defineForget,
  },
  {
    name: 'undelete',
    summary: 'bring forgotten snapshots back from the trash',
    load: async () => (await import('./commands/undelete.ts')).defineUndelete,
  },
  {
    name: 'tag',
    summary: 'give snapshots tags, or take them away',
    load: async () => (await import('./commands/tag.ts')).defineTag,
  },
  {
    name: 'pin',
    summary: 'protect snapshots from being forgotten',
    load: async () => (await import('./commands/pin.ts')).definePin,
  },
  {
    name: 'unpin',
    summary: 'end the protection of snapshots',
    load: async () => (await import('./commands/pin.ts')).defineUnpin,
  },
  {
    name: 'prune',
    summary: 'give back the space of what no snapshot needs',
    load: async () => (await import('./commands/prune.ts')).definePrune,
  },
  {
    name: 'check',
    summary: 'find out whether everything can be restored',
    load: async () => (await import('./commands/check.ts')).defineCheck,
  },
  {
    name: 'ls',
    summary: 'list what is in a snapshot',
    load: async () => (await import('./commands/ls.ts')).defineLs,
  },
  {
    name: 'find',
    summary: 'find files in snapshots by name',
    load: async () => (await import('./commands/find.ts')).defineFind,
  },
  {
    name: 'diff',
    summary: 'show what changed between two snapshots',
    load: async () => (await import('./commands/diff.ts')).defineDiff,
  },
  {
    name: 'dump',
    summary: 'write a file, or a folder as tar, to stdout',
    load: async () => (await import('./commands/dump.ts')).defineDump,
  },
  {
    name: 'stats',
    summary: 'count files and bytes of a snapshot or of all',
    load: async () => (await import('./commands/stats.ts')).defineStats,
  },
  {
    name: 'put',
    summary: 'store a single file as a new version',
    load: async () => (await import('./commands/put.ts')).definePut,
  },
  {
    name: 'get',
    summary: 'read a single file back',
    load: async () => (await import('./commands/get.ts')).defineGet,
  },
  {
    name: 'files',
    summary: 'list, delete, and show the history of single files',
    load: async () => (await import('./commands/files.ts')).defineFiles,
  },
  {
    name: 'schedule',
    summary: 'have folders of machines backed up again and again',
    load: async () => (await import('./commands/schedule.ts')).defineSchedule,
  },
  {
    name: 'fetch',
    summary: 'write a scheduled backup as a tar or zip archive',
    load: async () => (await import('./commands/fetch.ts')).defineFetch,
  },
  {
    name: 'nodes',
    summary: 'list the storage nodes and their state',
    load: async () => (await import('./commands/nodes.ts')).defineNodes,
  },
  {
    name: 'agents',
    summary: 'list the agents, and whether they are there',
    load: async () => (await import('./commands/agents.ts')).defineAgents,
  },
  {
    name: 'status',
    summary: 'say whether the cluster is well',
    load: async () => (await import('./commands/status.ts')).defineStatus,
  },
  {
    name: 'events',
    summary: 'show what happened last in the cluster',
    load: async () => (await import('./commands/events.ts')).defineEvents,
  },
  {
    name: 'watch',
    summary: 'tell what happens in the cluster, as it happens',
    load: async () => (await import('./commands/watch.ts')).defineWatch,
  },
  {
    name: 'tasks',
    summary: 'show what is done in the background, and how far it is',
    load: async () => (await import('./commands/tasks.ts')).defineTasks,
  },
  {
    name: 'rebalance',
    summary: 'spread what is stored evenly over the nodes',
    load: async () => (await import('./commands/rebalance.ts')).defineRebalance,
  },
  {
    name: 'history',
    summary: 'list what was done to the cluster',
    load: async () => (await import('./commands/history.ts')).defineHistory,
  },
  {
    name: 'shutdown',
    summary: 'stop the whole cluster in order',
    load: async () => (await import('./commands/shutdown.ts')).defineShutdown,
  },
  {
    name: 'doctor',
    summary: 'find out what is wrong, and what to do about it',
    load: async () => (await import('./commands/doctor.ts')).defineDoctor,
  },
  {
    name: 'benchmark',
    summary: 'measure this machine and the cluster',
    load: async () => (await import('./commands/benchmark.ts')).defineBenchmark,
  },
  {
    name: 'completion',
    summary: 'print what makes a shell complete commands, options and snapshots',
    load: async () => (await import('./commands/completion.ts')).defineCompletion,
  },
  {
    name: 'manager',
    summary: 'run a manager',
    load: async () => (await import('./commands/manager.ts')).defineManager,
  },
  {
    name: 'node',
    summary: 'run a storage node; drain, resume or remove one',
    load: async () => (await import('./commands/node.ts')).defineNode,
  },
  {
    name: 'agent',
    summary: 'run an agent, which carries out schedules on a machine; remove one',
    load: async () => (await import('./commands/agent.ts')).defineAgent,
  },
]
