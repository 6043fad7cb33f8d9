import type { DeploymentDetail, LogLineDocument } from '#contract/rest/deployments.ts'
import type { CiGroups } from './ci-groups.ts'
import { hasEnded } from './has-ended.ts'
import { inertLine } from './inert.ts'
import { LiveArea } from './live-area.ts'
import type { Display } from './print.ts'
import type { Session } from './session.ts'
import { liveLines, plainLine, summaryLine } from './step-lines.ts'

const DRAW_MS = 100
const LONGEST_LINE = 4_000

/** How a deployment is shown while it runs. */
export interface View {
  show(deployment: DeploymentDetail): void
  /** A line of the log that just came. */
  line(line: LogLineDocument): void
  close(): void
}

export interface Shown {
  readonly log: readonly LogLineDocument[]
  readonly say: (text: string) => void
  readonly shows: 'steps' | 'end'
}

/** Moving on a terminal, in groups in a CI job, else a line for each step. */
export function createView(session: Session, shown: Shown): View {
  const { display } = session.printer
  if (display) {
    return movingView(session, display, shown)
  }
  if (shown.shows === 'end') {
    return endView(session, shown)
  }
  return session.printer.groups ? groupView(session.printer.groups, shown) : stepView(shown)
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
    line: () => undefined,
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
    line: () => undefined,
    close: () => undefined,
  }
}

/** In a CI job the whole log, as it comes, in a group for each step. */
function groupView(groups: CiGroups, shown: Shown): View {
  const steps = stepView({
    ...shown,
    say(text) {
      groups.close()
      shown.say(text)
    },
  })
  return {
    show: steps.show,
    line({ step, text }) {
      groups.open(inertLine(step))
      shown.say(`  | ${inertLine(text, LONGEST_LINE)}`)
    },
    close: groups.close,
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
    line: () => undefined,
    close: () => undefined,
  }
}
