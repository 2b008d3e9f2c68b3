/** Bounds of schedules and agents, with their units in their names and their reasons beside them. */

const secondMs = 1000
const minuteMs = 60 * secondMs

/** The shortest and the longest time between two runs. A backup with nothing to do takes a tenth of a second. */
export const everyMsMin = 10 * secondMs
export const everyMsMax = 366 * 24 * 60 * minuteMs
/** Runs of many schedules are spread over a tenth of the time between two runs, and over five minutes at the most. */
export const jitterShare = 0.1
export const jitterMsMax = 5 * minuteMs
/** A run is overdue half the time between two runs after it was due, but two minutes at least and an hour at most. */
export const overdueShare = 0.5
export const overdueMsMin = 2 * minuteMs
export const overdueMsMax = 60 * minuteMs

/**
 * How often an agent asks for work: few ask twice a second, so that nobody waits; many ask more seldom, fifty times a
 * second all together, which costs the manager a hundredth of its time; a fleet of 200 and more asks every four
 * seconds.
 */
export const agentPollMsPerAgent = 20
export const agentPollMsMin = 500
export const agentPollMsMax = 4 * secondMs
/** An agent that missed five polls is away; its name is free for another process. */
export const agentAwayAfterMs = 10 * secondMs
/** How long a new process waits for the name of a former one, which may have been killed a moment ago. */
export const agentNamePatienceMs = 2 * agentAwayAfterMs
/** Processes of a name that are remembered, to be refused when they come back: at one a day those of three years. */
export const agentProcessesKept = 1000
/** An agent's clock that is so far off is told of: retention and schedules go by the manager's. */
export const clockOffWarnMs = minuteMs

/** Runs of all agents that go on at once: each is a session, and two packs in flight. */
export const runsAtOnceMax = 32
/** Runs that one agent may take at once, and how many it takes unless it is told otherwise. */
export const agentRunsMax = 16
export const agentRunsDefault = 2
/** Runs that are begun, or looked at to be begun, in one piece of work. */
export const schedulesPerStep = 256
/** How often a run is begun anew because its agent was started anew; then it counts as failed. */
export const runAttemptsMax = 5
/** A failed run is tried again after 1, 4 and 15 minutes, if no regular run comes earlier. */
export const retryDelaysMs: readonly number[] = [minuteMs, 4 * minuteMs, 15 * minuteMs]
/** Runs that are remembered of each path of each agent: at one every 15 minutes, ten days. */
export const runsKept = 1000
/** Versions that a policy is applied to at once; older ones are looked at when newer ones are forgotten. */
export const versionsPerPolicy = 5000

/** Parts of a schedule: a path as Linux takes it at the most, patterns and tags of a few lines. */
export const schedulePathBytesMax = 4096
export const scheduleExcludesMax = 1000
export const scheduleTagsMax = 100
export const scheduleTextCharactersMax = 1024
export const scheduleExpressionCharactersMax = 200
/** Schedules of all agents together: ten for each machine of a fleet of a thousand. */
export const schedulesMax = 10_000
/** What an agent says of itself: folders that it allows, and names of hooks. */
export const agentAllowMax = 100
export const agentHooksMax = 100
/** Longest message of a run. */
export const runMessageCharactersMax = 2000
/** Schedules that a summary names. */
export const attentionMax = 100

/** How long a hook may take: a dump of a large database is the usual one. */
export const hookMsMax = 60 * minuteMs
/** What is kept of what a hook says, for the run's message, in bytes. */
export const hookOutputBytesMax = 4096
