import type { DeploymentDetail, LogLineDocument, StepDocument } from '#contract/rest/deployments.ts'
import { inWords } from './duration.ts'
import { inertLine } from './inert.ts'
import type { Colours } from './print.ts'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 100
const NAME_WIDTH = 9
const DURATION_WIDTH = 10
const TAIL_LINES = 15

export interface Moment {
  readonly now: number
  readonly columns: number
  readonly colour: Colours
  /** The newest line of the log, shown beside the step at work. */
  readonly lastLine: LogLineDocument | undefined
}

/** The steps of a deployment as they stand, one line each, for a display that is redrawn. */
export function liveLines({ steps, state }: DeploymentDetail, moment: Moment): string[] {
  const lines = steps.map(step => liveLine(step, moment))
  if (steps.length === 0) {
    lines.push(`  ${moment.colour.cyan(frameAt(moment.now))} ${state}`)
  }
  return lines
}

/** A whole deployment on one line: where it is, or how it ended. */
export function summaryLine(deployment: DeploymentDetail, { now, columns, colour }: Moment): string {
  const { app, state, outcome, steps, started_at, finished_at } = deployment
  const took =
    started_at === null ? 0 : (finished_at === null ? now : Date.parse(finished_at)) - Date.parse(started_at)
  const what = outcome ?? steps.at(-1)?.name ?? state
  const text = inertLine(`app ${app}: ${what}, ${inWords(Math.max(0, took))}`, columns - 6)
  return `  ${markOf(finished_at === null ? 'running' : state, now, colour)} ${colour.dim(text)}`
}

/** A step that has ended, for a log: `build      done      1.2 s`. */
export function plainLine(step: StepDocument): string {
  return `  ${step.name.padEnd(NAME_WIDTH)} ${inertLine(step.state).padEnd(9)} ${durationOf(step, 0)}`.trimEnd()
}

/** Why a deployment did not succeed: step, reason, hint, and what the step said last. */
export function failureLines(
  deployment: DeploymentDetail,
  log: readonly LogLineDocument[],
  colour: Colours,
): string[] {
  const { error, failed_step: step } = deployment
  const tail = log.filter(line => line.step === step && line.stream !== 'info').slice(-TAIL_LINES)
  const lines = [`  ${colour.red(deployment.state)}${step === null ? '' : ` in ${inertLine(step)}`}`]
  if (error) {
    lines.push(`  reason: ${inertLine(error.message, 1_000)}`)
    if (error.hint !== '') {
      lines.push(`  ${colour.cyan('hint:')}   ${inertLine(error.hint, 1_000)}`)
    }
  }
  if (tail.length > 0) {
    lines.push(`  the last lines of ${inertLine(step ?? '')}:`)
    lines.push(...tail.map(line => colour.dim(`  | ${inertLine(line.text)}`)))
  }
  return lines
}

function liveLine(step: StepDocument, { now, columns, colour, lastLine }: Moment): string {
  const name = step.name.padEnd(NAME_WIDTH)
  const duration = durationOf(step, now).padStart(DURATION_WIDTH)
  const head = `  ${markOf(step.state, now, colour)} ${name} ${step.state === 'skipped' ? colour.dim('  nothing to do') : colour.dim(duration)}`
  const text = step.state === 'running' && lastLine?.step === step.name ? lastLine.text : ''
  const room = columns - NAME_WIDTH - DURATION_WIDTH - 8
  return text === '' || room < 10 ? head : `${head}  ${colour.dim(inertLine(text, room))}`
}

function markOf(state: string, now: number, colour: Colours): string {
  switch (state) {
    case 'done':
    case 'succeeded':
      return colour.green('✔')
    case 'skipped':
      return colour.dim('–')
    case 'running':
      return colour.cyan(frameAt(now))
    default:
      return colour.red('✘')
  }
}

/** How long a step took, or has taken until `now`. */
export function durationOf({ state, started_at, finished_at }: StepDocument, now: number): string {
  if (state === 'skipped') {
    return ''
  }
  const end = finished_at === null ? now : Date.parse(finished_at)
  return inWords(Math.max(0, end - Date.parse(started_at)))
}

function frameAt(now: number): string {
  return FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length] ?? ''
}
