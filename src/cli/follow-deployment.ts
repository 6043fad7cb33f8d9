import type { DeploymentDetail, LogLineDocument } from '#contract/rest/deployments.ts'
import { background } from '#lib/background.ts'
import { LiveArea } from './live-area.ts'
import type { Display } from './print.ts'
import type { Session } from './session.ts'
import { failureLines, liveLines, plainLine, summaryLine } from './step-lines.ts'
import { isWaiting } from './waiting-plan.ts'

const DRAW_MS = 100
/** The event stream says when to look; this is for the time in which it is cut. */
const LOOK_ANYWAY_MS = 2_000
const KEPT_LINES = 1_000
const LOG_END_MS = 1_500

const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled', 'superseded']

export interface FollowOptions {
  /** Where lines go when nothing moves; default the notes on standard error. */
  readonly say?: (text: string) => void
  /** `end`: not each step, only how it went. Default `steps`. */
  readonly shows?: 'steps' | 'end'
}

export function hasEnded(deployment: { readonly state: string }): boolean {
  return ENDED.includes(deployment.state)
}

/**
 * Shows the steps of a deployment until it ends or waits for an approval (moving on a terminal, else a line for each) and why it failed, if it
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
  const logEnded = collect(session, id, { signal, log })
  const view = createView(session, { log, say, shows: options.shows ?? 'steps' })
  try {
    for (;;) {
      session.signal.throwIfAborted()
      const deployment = await session.client.get<DeploymentDetail>(`/deployments/${id}`)
      view.show(deployment)
      if (isWaiting(deployment)) {
        return deployment
      }
      if (hasEnded(deployment)) {
        await Promise.race([logEnded, session.clock.sleep(LOG_END_MS)])
        view.close()
        if (deployment.state !== 'succeeded') {
          failureLines(deployment, log, session.printer.colour).forEach(say)
        }
        return deployment
      }
      await Promise.race([wake.next(), session.clock.sleep(LOOK_ANYWAY_MS, session.signal)])
    }
  } finally {
    view.close()
    stop.abort()
  }
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
  { signal, log }: { signal: AbortSignal; log: LogLineDocument[] },
): Promise<void> {
  try {
    for await (const { data } of session.client.events(`/deployments/${id}/log`, signal)) {
      if (typeof (data as LogLineDocument).seq === 'number') {
        log.push(data as LogLineDocument)
        log.splice(0, log.length - KEPT_LINES)
      }
    }
  } catch {
    // The steps are shown without it.
  }
}

interface View {
  show(deployment: DeploymentDetail): void
  close(): void
}

interface Shown {
  readonly log: readonly LogLineDocument[]
  readonly say: (text: string) => void
  readonly shows: 'steps' | 'end'
}

function createView(session: Session, shown: Shown): View {
  const { display } = session.printer
  if (display) {
    return movingView(session, display, shown)
  }
  return shown.shows === 'steps' ? stepView(shown) : endView(session, shown)
}

function movingView(session: Session, display: Display, { log, shows }: Shown): View {
  const area = new LiveArea(display)
  let latest: DeploymentDetail | undefined
  const draw = () => {
    if (latest) {
      const { columns, colour } = display
      const moment = { now: session.clock.now(), columns, colour, lastLine: log.at(-1) }
      area.draw(shows === 'steps' ? liveLines(latest, moment) : [summaryLine(latest, moment)])
    }
  }
  const timer = session.clock.every(DRAW_MS, draw)
  return {
    show(deployment) {
      latest = deployment
      draw()
    },
    close() {
      timer.close()
      latest = undefined
      area.keep()
    },
  }
}

function stepView({ say }: Shown): View {
  const said = new Set<string>()
  return {
    show({ steps }) {
      for (const step of steps) {
        if (step.state !== 'running' && !said.has(step.name)) {
          said.add(step.name)
          say(plainLine(step))
        }
      }
    },
    close: () => undefined,
  }
}

function endView({ clock, printer }: Session, { say }: Shown): View {
  return {
    show(deployment) {
      if (hasEnded(deployment)) {
        say(
          summaryLine(deployment, {
            now: clock.now(),
            columns: 1_000,
            colour: printer.colour,
            lastLine: undefined,
          }),
        )
      }
    },
    close: () => undefined,
  }
}
