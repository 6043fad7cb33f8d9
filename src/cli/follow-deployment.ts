import type { DeploymentDetail, LogLineDocument } from '#contract/rest/deployments.ts'
import { background } from '#lib/background.ts'
import { FairleadError } from '#lib/errors.ts'
import { createView, type Shown } from './deployment-view.ts'
import { inWords } from './duration.ts'
import { NOT_ENDED_IN_TIME } from './errors.ts'
import { hasEnded } from './has-ended.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { failureLines } from './step-lines.ts'
import { isWaiting } from './waiting-plan.ts'

/** The event stream says when to look; this is for the time in which it is cut. */
const LOOK_ANYWAY_MS = 2_000
const KEPT_LINES = 1_000
const LOG_END_MS = 1_500
/** A manager that is restarted or away for so long is asked on. */
const PATIENCE_MS = 60_000
const ASK_AGAIN_MS = 1_000

export interface FollowOptions {
  /** Where lines go when nothing moves; default the notes on standard error. */
  readonly say?: (text: string) => void
  /** `end`: not each step, only how it went. Default `steps`. */
  readonly shows?: 'steps' | 'end'
  /** Rejects with NOT_ENDED_IN_TIME afterwards; default: it is waited for as long as it takes. */
  readonly withinMs?: number
}

/**
 * Shows the steps of a deployment until it ends, or waits for a person (moving on a terminal, else a line for each) and why it failed, if it
 * did. Rejects with the signal's reason when the session is interrupted; the deployment goes on then.
 */
export async function followDeployment(
  session: Session,
  id: string,
  options: FollowOptions = {},
): Promise<DeploymentDetail> {
  const say = options.say ?? session.printer.note
  const stop = new AbortController()
  const signal = AbortSignal.any([session.signal, stop.signal])
  const log: LogLineDocument[] = []
  const wake = new Wake()
  background(listen(session, id, { signal, wake }), wake.call)
  const view = createView(session, { log, say, shows: options.shows ?? 'steps' })
  const logEnded = collect(session, id, {
    signal,
    take(line) {
      if (line.step !== log.at(-1)?.step) {
        wake.call()
      }
      log.push(line)
      log.splice(0, log.length - KEPT_LINES)
      view.line(line)
    },
  }).finally(wake.call)
  const look = createLook(session, id, signal)
  const limit = createLimit(session, id, options.withinMs)
  try {
    for (;;) {
      session.signal.throwIfAborted()
      const deployment = await Promise.race([look(), limit.passed])
      view.show(deployment)
      if (isWaiting(deployment) || deployment.held) {
        return deployment
      }
      if (hasEnded(deployment)) {
        await Promise.race([logEnded, session.clock.sleep(LOG_END_MS)])
        view.close()
        if (deployment.state !== 'succeeded') {
          tellFailure(session, deployment, { log, say })
        }
        return deployment
      }
      await Promise.race([wake.next(), session.clock.sleep(LOOK_ANYWAY_MS, session.signal), limit.passed])
    }
  } finally {
    view.close()
    limit.close()
    stop.abort()
  }
}

interface Limit {
  /** Rejects when the time has passed. */
  readonly passed: Promise<never>
  close(): void
}

function createLimit({ clock }: Session, id: string, withinMs: number | undefined): Limit {
  const { promise, reject } = Promise.withResolvers<never>()
  background(promise, () => undefined)
  if (withinMs === undefined) {
    return { passed: promise, close: () => undefined }
  }
  const timer = clock.after(withinMs, () => reject(NOT_ENDED_IN_TIME(id, inWords(withinMs))))
  return { passed: promise, close: timer.close }
}

/** Reads the deployment; a manager that does not answer, or is not able to, is asked again for a while. */
function createLook(session: Session, id: string, signal: AbortSignal): () => Promise<DeploymentDetail> {
  const { client, clock } = session
  let answeredAt = clock.monotonic()
  return async () => {
    for (;;) {
      try {
        const deployment = await client.get<DeploymentDetail>(`/deployments/${id}`)
        answeredAt = clock.monotonic()
        return deployment
      } catch (error) {
        const mayPass = error instanceof FairleadError && error.retry !== 'never'
        if (!mayPass || clock.monotonic() - answeredAt > PATIENCE_MS) {
          throw error
        }
        await clock.sleep(ASK_AGAIN_MS, signal)
      }
    }
  }
}

function tellFailure(
  { printer }: Session,
  deployment: DeploymentDetail,
  { log, say }: Pick<Shown, 'log' | 'say'>,
): void {
  failureLines(deployment, log, printer.colour).forEach(say)
  const { app, state, failed_step: step, error } = deployment
  const where = step === null ? '' : ` in ${inertLine(step)}`
  const reason = error === null ? [] : [inertLine(error.message, 1_000), inertLine(error.hint, 1_000)]
  printer.groups?.annotate(`${app}: ${state}${where}`, reason.filter(text => text !== '').join('\n') || state)
}

/** Turns calls into one wake-up each, without losing those that come while nobody waits. */
class Wake {
  #called = false
  #resolve: (() => void) | undefined

  readonly call = () => {
    this.#called = true
    this.#resolve?.()
  }

  async next(): Promise<void> {
    if (!this.#called) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#resolve = resolve
      await promise
    }
    this.#called = false
    this.#resolve = undefined
  }
}

async function listen(session: Session, id: string, { signal, wake }: { signal: AbortSignal; wake: Wake }) {
  for await (const { data } of session.client.events('/events', signal)) {
    const { fields } = data as { fields: Record<string, unknown> }
    if (fields.deployment === id || fields.id === id) {
      wake.call()
    }
  }
}

/** The newest lines of the log; what cannot be read is not shown, and no reason to stop. */
async function collect(
  session: Session,
  id: string,
  { signal, take }: { signal: AbortSignal; take: (line: LogLineDocument) => void },
): Promise<void> {
  try {
    for await (const { data } of session.client.events(`/deployments/${id}/log`, signal)) {
      if (typeof (data as LogLineDocument).seq === 'number') {
        take(data as LogLineDocument)
      }
    }
  } catch {
    // The steps are shown without it.
  }
}
