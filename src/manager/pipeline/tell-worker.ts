import { wasAway } from '#commands/away.ts'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { commandNamed } from '#commands/index.ts'
import type { LogLine } from '#contract/agent-frames.ts'
import { writeDuration } from '#lib/duration.ts'
import { asFairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { newId } from '#lib/id.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import { COMMAND_LOST } from '#manager/agents/errors.ts'
import { STORE_FULL } from '#manager/store/errors.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tell } from '#targets/target.ts'
import { endCommand, insertNow, insertSoon, lastTold } from './command-rows.ts'
import { commandLimit, engineLimit } from './deadlines.ts'
import { fill } from './fill.ts'
import { ownerOf } from './owner-of.ts'
import { goesToRepository, refuseOnce } from './refuse-once.ts'
import type { StepContext } from './step.ts'

type Result = Readonly<Record<string, unknown>>

/** A command that itself ends its worker must not do so for ever. */
const TELL_AGAIN = 2
const DISK_FULL_WAIT_MS = 2000
const FIRST_PAUSE_MS = 500
/** For a worker that is being restarted; one that comes later is told when it does. */
const WORKER_BACK_MS = 30_000

/**
 * Tells the app's worker one command and gives its result. Journalled per (step, key): after a restart a stored
 * result is taken, a command still known to the agent is followed, a lost or interrupted one is told anew
 * (every command is idempotent: it looks at what is there first).
 */
export async function tellWorker(context: StepContext, what: Tell): Promise<Result> {
  const { parts, deployment, step } = context
  const [journalled] = await lastTold(parts.db, { deployment: deployment.id, step, key: what.key })
  if (journalled?.state === 'succeeded') {
    return keep(context, what, JSON.parse(journalled.result ?? '{}') as Result)
  }
  const { id, state } = journalled ?? {}
  if (goesToRepository(context, what)) {
    await refuseOnce(context).catch(async error => {
      const ended = { ...context, signal: AbortSignal.abort(error) }
      await (state === 'told' && id !== undefined ? endTold(ended, { ...what, id }) : undefined)?.catch(
        () => {},
      )
      throw error
    })
  }
  let attempt = () =>
    state === 'told' && id !== undefined ? followed(context, what, id) : told(context, what)
  for (let left = TELL_AGAIN; ; ) {
    try {
      return await attempt()
    } catch (error) {
      if (context.signal.aborted) {
        throw error
      }
      if (wasLost(error) && left > 0) {
        left -= 1
        context.say(`the worker lost ${what.command} in a restart; it is told again`)
      } else if (!(await waitedForEngine(context, what, error))) {
        throw error
      }
      attempt = () => told(context, what)
    }
  }
}

/** An engine that was killed is back after seconds. All commands of a deployment together wait so long, and no longer. */
async function waitedForEngine(context: StepContext, what: Tell, error: unknown): Promise<boolean> {
  const { facts, parts, signal } = context
  const waited = facts.waitedForEngineMs ?? 0
  const limitMs = engineLimit(parts.deadlines)
  if (!wasAway(asFairleadError(error)) || waited >= limitMs) {
    return false
  }
  const pauseMs = Math.max(FIRST_PAUSE_MS, Math.min(waited, limitMs - waited))
  facts.waitedForEngineMs = waited + pauseMs
  context.say(`${asFairleadError(error).message} Waiting for it; then ${what.command} is told again`)
  await parts.clock.sleep(pauseMs, signal)
  return true
}

/** Tells several at once; all are awaited even when one fails, so that nothing is left running unseen. */
export async function tellAll(context: StepContext, tells: readonly Tell[]): Promise<void> {
  const results = await Promise.allSettled(tells.map(what => tellWorker(context, what)))
  const failed = results.find(result => result.status === 'rejected')
  if (failed) {
    throw failed.reason
  }
}

async function told(context: StepContext, what: Tell): Promise<Result> {
  const { parts, deployment, step, app } = context
  const id = newId()
  failpoint('manager', step, what.command, 'before-row')
  // Before an effect the row is on the disk, and with it everything written so far.
  const insert = commandNamed(what.command).looksOnly ? insertSoon : insertNow
  await insert(parts.db, {
    id,
    deployment: deployment.id,
    step,
    key: what.key,
    command: what.command,
    host: app.host,
    now: parts.clock.now(),
  })
  failpoint('manager', step, what.command, 'after-row')
  return await settled(context, what, id, () =>
    parts.agents.tell(app.host, {
      id,
      command: what.command,
      params: fill(what.data, context.results),
      engine: engineFor(context, what),
      owner: ownerOf(context.app, context.repository),
      deadlineMs: commandLimit(context),
      waitMs: context.workerLimitMs,
      onLines: (lines, dropped) => store(context, what, { id, lines, dropped }),
      signal: context.signal,
    }),
  )
}

/** What became of a command told before a restart. */
async function followed(context: StepContext, what: Tell, id: string): Promise<Result> {
  const { parts, deployment, app } = context
  const fromSeq = await parts.logs.lastSeqOf(deployment.id, id)
  return await settled(context, what, id, () =>
    parts.agents.resume(app.host, {
      id,
      fromSeq,
      again: () => ({
        command: what.command,
        params: fill(what.data, context.results),
        engine: engineFor(context, what),
        owner: ownerOf(context.app, context.repository),
      }),
      waitMs: context.workerLimitMs,
      onLines: (lines, dropped) => store(context, what, { id, lines, dropped }),
      signal: context.signal,
    }),
  )
}

/** Has the worker end a command that an earlier process told, and waits for its end: nobody wants it any more. */
export async function endTold(
  context: StepContext,
  { id, ...what }: Pick<Tell, 'key' | 'command'> & { readonly id: string },
): Promise<void> {
  const { parts, deployment, app } = context
  const tell = { ...what, data: {} }
  const fromSeq = await parts.logs.lastSeqOf(deployment.id, id)
  await settled(context, tell, id, () =>
    parts.agents.resume(app.host, {
      id,
      fromSeq,
      waitMs: Math.min(context.workerLimitMs, WORKER_BACK_MS),
      deadlineMs: WORKER_BACK_MS,
      onLines: (lines, dropped) => store(context, tell, { id, lines, dropped }),
      signal: context.signal,
    }),
  )
}

function engineFor({ facts }: StepContext, { engine = facts.engine }: Tell): string | undefined {
  return engine === LOCAL_ENGINE ? undefined : engine
}

function wasLost(error: unknown): boolean {
  return COMMAND_LOST.matches(error) || COMMAND_INTERRUPTED.matches(error)
}

/** Writes the end of a command into its row. */
async function settled(
  context: StepContext,
  what: Tell,
  id: string,
  work: () => Promise<unknown>,
): Promise<Result> {
  const { parts } = context
  sayIfOffline(context)
  try {
    const result = (await work()) as Result
    failpoint('manager', context.step, what.command, 'after-effect')
    await endCommand(parts.db, {
      id,
      state: 'succeeded',
      result: JSON.stringify(result),
      now: parts.clock.now(),
    })
    return keep(context, what, result)
  } catch (error) {
    // What became of a command that could not be written down is asked again later.
    if (context.signal.reason !== 'shutdown' && !isStoreTrouble(error)) {
      await endCommand(parts.db, { id, state: 'failed', result: null, now: parts.clock.now() })
    }
    throw asFairleadError(error)
  }
}

/** Otherwise the log would only stand still. */
function sayIfOffline({ parts, app, say, workerLimitMs }: StepContext): void {
  const link = parts.agents.state(app.host)
  if (link && link.status !== 'connected' && workerLimitMs > 0) {
    say(`the worker "${app.host}" is not connected; waiting for it, at most ${writeDuration(workerLimitMs)}`)
  }
}

function keep(context: StepContext, what: Tell, result: Result): Result {
  context.results.set(what.key, result)
  return result
}

interface Piece {
  /** Of the command. */
  readonly id: string
  readonly lines: readonly LogLine[]
  readonly dropped: number
}

/** While the disk is full it waits: lines that are not stored are not acknowledged, and the worker keeps them. */
async function store(context: StepContext, { command }: Tell, { id, lines, dropped }: Piece): Promise<void> {
  const { parts, deployment, step } = context
  const mark = `… ${dropped} lines of ${command} are left out here: the worker keeps the beginning and the end …`
  const at = lines[0]?.at ?? 0
  const stored = [
    ...(dropped > 0 ? [{ at, step, stream: 'info', text: mark } as const] : []),
    ...lines.map(line => ({
      at: line.at,
      step,
      stream: line.stream,
      text: line.text,
      command: id,
      commandSeq: line.seq,
    })),
  ]
  for (;;) {
    try {
      await parts.logs.append(deployment.id, stored)
      return
    } catch (error) {
      if (!STORE_FULL.matches(error)) {
        throw error
      }
      await parts.clock.sleep(DISK_FULL_WAIT_MS, context.signal)
    }
  }
}
