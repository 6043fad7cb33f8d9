import { readDuration } from '#lib/duration.ts'
import type { Step, StepContext } from './step.ts'

const MINUTE = 60_000

/** Nothing may be configured to take longer: an agent takes no command with a later deadline. */
export const LONGEST_DEADLINE_MS = 24 * 60 * MINUTE

/** Limits that are not those of one step, in ms. */
const WHOLE = {
  /** Everything from the start of the deployment on; waiting in the queue does not count. */
  deployment: 60 * MINUTE,
  /** How long a step waits for a worker that is not connected: a host may be restarting. */
  worker: 5 * MINUTE,
  /** How long all commands of a deployment together wait for an engine that is away: a killed one is back after seconds. */
  engine: MINUTE / 3,
} as const

/** All that can be limited; a test holds it against the steps that there are. */
export const DEADLINE_NAMES: readonly string[] = [
  'checkout',
  'read',
  'compare',
  'retrieve',
  'settings',
  'collect',
  'plan',
  'build',
  'built',
  'push',
  'open-ports',
  'apply',
  'verify',
  'route',
  'watch',
  'close-ports',
  'announce',
  'attest',
  'prune',
  'write-back',
  'take-down',
  'stop',
  'status',
  'config',
  'pull',
  'up',
  ...Object.keys(WHOLE),
]

/** Limits by name (a step, `deployment`, `worker` or `engine`), in ms: where there is none, the default holds. */
export type Deadlines = Readonly<Partial<Record<string, number>>>

/** The app's own limits as far as they are set with the app itself: those hold before its deploy file is read. */
export function overriddenDeadlines(overrides: string): Deadlines {
  return readDeadlines((JSON.parse(overrides) as { deadlines?: unknown }).deadlines)
}

/** `{build: '45m'}` in ms. What is no duration is left out: the schema refuses it where it is read. */
export function readDeadlines(written: unknown): Deadlines {
  const entries = Object.entries((written ?? {}) as Record<string, unknown>)
  return Object.fromEntries(
    entries.flatMap(([name, text]) => {
      const ms = readDuration(String(text))
      return ms ? [[name, Math.min(ms, LONGEST_DEADLINE_MS)]] : []
    }),
  )
}

/** How long a step may take, in ms: what the app says itself, else the manager's limit and what this app needs on top. */
export function stepLimit(step: Step, context: StepContext): number {
  const { parts, facts } = context
  const own = facts.deadlines?.[step.name]
  return own ?? (parts.deadlines[step.name] ?? step.deadlineMs) + (step.extraMs?.(context) ?? 0)
}

/**
 * The deadline that a worker is given with a command: it keeps that one also while no manager runs. A little later than
 * the step's own, which says more.
 */
export function commandLimit({ parts, deadlineAt }: StepContext): number {
  return Math.min(LONGEST_DEADLINE_MS, Math.max(1, deadlineAt - parts.clock.now()) + 5_000)
}

/** How long the whole deployment may take, in ms. */
export function deploymentLimit(manager: Deadlines, app: Deadlines): number {
  return app.deployment ?? manager.deployment ?? WHOLE.deployment
}

/** How long a worker may be away before a step gives up, in ms. */
export function workerLimit(manager: Deadlines): number {
  return manager.worker ?? WHOLE.worker
}

/** How long a deployment waits for an engine that is away, in ms. */
export function engineLimit(manager: Deadlines): number {
  return manager.engine ?? WHOLE.engine
}
