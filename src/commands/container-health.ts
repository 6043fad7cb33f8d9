import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { type ContainerFacts, inspectContainer } from '#programs/docker-containers.ts'
import { firstExit } from '#programs/docker-events.ts'
import { createExec, exitCodeOfExec, startExec } from '#programs/docker-exec.ts'
import { probeContainer } from '#programs/probe.ts'
import type { Hands } from './command.ts'
import type { ContainerStartData, StartedHealth } from './container-data.ts'
import { howItEnded } from './container-end.ts'
import { CONTAINER_EXITED, CONTAINER_UNHEALTHY } from './container-errors.ts'
import type { Reach } from './engine-reach.ts'

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 500
/** A check inside the container costs a process: not as often as a look from outside. */
const FIRST_EXEC_PAUSE_MS = 100
const LONGEST_EXEC_PAUSE_MS = 2_000
const ATTEMPT_MS = 3_000
const SETTLE_MS = 1_500

/** What must be seen of a new container before anything relies on it. */
export interface HealthGoal {
  readonly app: string
  readonly id: string
  /** Where its port is reached from here; undefined: nowhere. */
  readonly at: Reach | undefined
  readonly port: number | undefined
  readonly health: ContainerStartData['health']
  /** The health check of its image. */
  readonly test: readonly string[] | undefined
}

export interface Ready {
  readonly health: StartedHealth
  readonly facts: ContainerFacts
}

export interface Look {
  readonly ready: boolean
  /** What is still missing, for the error when time runs out. */
  readonly missing: string
}

/**
 * Waits until a container is ready: by the path it was told (`health.http`), else by its image's health check, else by
 * any answer of its port, else by running for the settle time. Throws as soon as it ends or its check gives up.
 */
export async function waitUntilReady(hands: Hands, goal: HealthGoal): Promise<Ready> {
  const { kind, look, firstPauseMs, longestPauseMs } = lookerFor(hands, goal)
  const started = hands.clock.monotonic()
  let pauseMs = firstPauseMs
  for (;;) {
    hands.signal.throwIfAborted()
    const [facts, seen] = await Promise.all([
      hands.perform(inspectContainer(hands.host.dockerSocket, goal.id)),
      look(hands.clock.monotonic() - started),
    ])
    if (!facts || hasEnded(facts)) {
      throw await explainEnd(hands, goal, facts)
    }
    refuseWhenIll(goal, facts)
    if (seen.ready || (kind === 'healthy' && facts.health === 'healthy')) {
      return { health: kind, facts }
    }
    const leftMs = started + goal.health.withinMs - hands.clock.monotonic()
    if (leftMs <= 0) {
      throw CONTAINER_UNHEALTHY(goal.app, Math.round(goal.health.withinMs / 1000), seen.missing)
    }
    await hands.clock.sleep(Math.min(pauseMs, leftMs), hands.signal)
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)
  }
}

/** Whether a container that runs is ready, by the same signs; the engine's own first check may be half a minute away. */
export async function isReadyNow(hands: Hands, goal: HealthGoal): Promise<boolean> {
  return (await lookerFor(hands, goal).look(0)).ready
}

interface Looker {
  readonly kind: StartedHealth
  readonly look: (elapsedMs: number) => Promise<Look>
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

function lookerFor(hands: Hands, goal: HealthGoal): Looker {
  const { health, test, at } = goal
  const port = at && goal.port
  const { withinMs } = health
  const longestPauseMs = health.intervalMs ?? LONGEST_PAUSE_MS
  const outside = { firstPauseMs: Math.min(FIRST_PAUSE_MS, longestPauseMs), longestPauseMs }
  if (health.http !== undefined && at && port !== undefined) {
    const path = health.http
    const isGood = (status: number) => status >= 200 && status < 400
    return {
      ...outside,
      kind: 'healthy',
      look: () => askPort(hands, { at, withinMs }, { port, path, isGood }),
    }
  }
  if (test) {
    return {
      kind: 'healthy',
      look: () => runTest(hands, goal, test),
      firstPauseMs: FIRST_EXEC_PAUSE_MS,
      longestPauseMs: health.intervalMs ?? LONGEST_EXEC_PAUSE_MS,
    }
  }
  if (at && port !== undefined) {
    const isGood = (status: number) => status < 500
    return {
      ...outside,
      kind: 'answering',
      look: () => askPort(hands, { at, withinMs }, { port, path: '/', isGood }),
    }
  }
  const settleMs = Math.min(health.settleMs ?? SETTLE_MS, health.withinMs)
  const look = async (elapsedMs: number) => ({
    ready: elapsedMs >= settleMs,
    missing: 'it did not keep running',
  })
  return { ...outside, kind: 'running', look }
}

interface Question {
  readonly port: number
  readonly path: string
  readonly isGood: (status: number) => boolean
}

interface Place {
  readonly at: Reach
  readonly withinMs: number
}

/** Asks a container itself, past the proxy. Never throws but when cancelled. */
export async function askPort(hands: Hands, { at, withinMs }: Place, question: Question): Promise<Look> {
  const { port, path, isGood } = question
  try {
    const { status } = await hands.perform(
      probeContainer({ ...at, path, timeoutMs: Math.min(ATTEMPT_MS, withinMs) }),
    )
    return { ready: isGood(status), missing: `GET ${path} at port ${port} answers with status ${status}` }
  } catch (error) {
    hands.signal.throwIfAborted()
    // Before a published port there may be something that takes every connection.
    return unanswered(question, asFairleadError(error), hands.host.engine === undefined)
  }
}

function unanswered(
  { port, path }: Question,
  error: { code: string; message: string },
  isDirect: boolean,
): Look {
  if (error.code === 'ENGINE_UNREACHABLE') {
    return { ready: false, missing: `nothing listens at port ${port} of the container` }
  }
  // An answer that is too long, or not HTTP at all, is an answer; only a named path must be understood.
  const answered =
    error.code === 'ANSWER_TOO_LARGE' || (isDirect && error.code === 'ENGINE_BROKE_OFF' && path === '/')
  return { ready: answered, missing: `GET ${path} at port ${port}: ${error.message}` }
}

/**
 * Runs the image's own health check at once and again. The engine would wait for its interval first, 30 s by default;
 * what it decides by is the same exit code.
 */
async function runTest(hands: Hands, goal: HealthGoal, test: readonly string[]): Promise<Look> {
  const { dockerSocket } = hands.host
  const lines: string[] = []
  const exec = await hands.perform(createExec(dockerSocket, goal.id, commandOf(test)))
  if (!exec) {
    return { ready: false, missing: 'it does not run' }
  }
  try {
    const timeoutMs = Math.max(ATTEMPT_MS, Math.min(30_000, goal.health.withinMs))
    await hands.perform(
      startExec(dockerSocket, exec.id, { timeoutMs, onLine: text => keepLast(lines, text) }),
    )
  } catch (error) {
    hands.signal.throwIfAborted()
    return { ready: false, missing: `its health check does not end: ${asFairleadError(error).message}` }
  }
  const exitCode = await hands.perform(exitCodeOfExec(dockerSocket, exec.id))
  const said = lines.length > 0 ? `: ${lines.join(' / ')}` : ''
  return { ready: exitCode === 0, missing: `its health check ends with exit code ${exitCode}${said}` }
}

function commandOf([kind, ...words]: readonly string[]): readonly string[] {
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words[0] ?? ''] : words
}

function keepLast(lines: string[], text: string): void {
  lines.push(text.slice(0, 500))
  if (lines.length > 5) {
    lines.shift()
  }
}

function hasEnded(facts: ContainerFacts): boolean {
  return (facts.state !== 'running' && facts.state !== 'created') || facts.restarts > 0
}

/** The engine may have started it again by now, so its first end is asked for. */
async function explainEnd(
  hands: Hands,
  goal: HealthGoal,
  facts: ContainerFacts | undefined,
): Promise<FairleadError> {
  if (!facts) {
    return CONTAINER_EXITED(goal.app, 'somebody removed it').with({ facts: { exitCode: null } })
  }
  const first = await hands.perform(firstExit(hands.host.dockerSocket, goal.id, hands.clock.now()))
  const exitCode = first?.exitCode ?? facts.exitCode
  const isOutOfMemory = facts.outOfMemory || first?.outOfMemory === true
  return CONTAINER_EXITED(goal.app, howItEnded({ ...facts, exitCode, outOfMemory: isOutOfMemory })).with({
    facts: { exitCode, ...(first ? { endedAt: first.at } : {}) },
  })
}

function refuseWhenIll(goal: HealthGoal, facts: ContainerFacts): void {
  if (facts.health === 'unhealthy') {
    const log = facts.healthLog.at(-1) ?? 'its health check fails'
    throw CONTAINER_UNHEALTHY(goal.app, Math.round(goal.health.withinMs / 1000), log)
  }
}
