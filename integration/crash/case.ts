import { type Crashes, PARTS, type Stages } from './stage.ts'
import { APPROVE, CANCEL, COMPOSE, CONTAINER, FIRST, REMOVE, ROLLBACK, STOP, UNDO } from './stages.ts'

/**
 * What is asked for: an app that runs already is deployed (`failing`: its new version never gets healthy), one that
 * does not run yet is (`first`), one goes back to what ran before (`rollback`), a plan that waits for it is approved
 * (`approve`), one is stopped or removed, or a deployment is cancelled while the part to be killed is stopped already (`cancel`).
 */
export type Work = 'deploy' | 'first' | 'failing' | 'rollback' | 'approve' | 'stop' | 'remove' | 'cancel'
export type Target = 'container' | 'compose'
export type Victim = 'manager' | 'worker' | 'both' | 'engine'

/** One crash: the part with the failpoint stops there, and the victims are killed. */
export interface Case {
  readonly target: Target
  readonly work: Work
  readonly step: string
  /** Whose row: of the step, of a command at the manager, or of a command at the worker; or which call. */
  readonly row: string
  readonly moment: string
  /** Empty: they are killed before anything is asked for. */
  readonly failpoint: string
  readonly victim: Victim
}

/** Every crash of manager and worker. */
export function allCases(): readonly Case[] {
  return [
    ...casesOf('container', 'deploy', CONTAINER),
    ...casesOf('container', 'first', FIRST),
    ...casesOf('container', 'remove', REMOVE.container),
    ...casesOf('container', 'stop', STOP.container),
    ...casesOf('container', 'failing', UNDO.container),
    ...casesOf('container', 'rollback', ROLLBACK.container),
    ...waitingCases(),
    ...casesOf('container', 'approve', APPROVE),
    ...casesOf('container', 'cancel', CANCEL.container),
    ...casesOf('compose', 'deploy', COMPOSE),
    ...casesOf('compose', 'remove', REMOVE.compose),
    ...casesOf('compose', 'stop', STOP.compose),
    ...casesOf('compose', 'failing', UNDO.compose),
    ...casesOf('compose', 'rollback', ROLLBACK.compose),
    ...casesOf('compose', 'cancel', CANCEL.compose),
  ]
}

/** The engine dies in a command: when it has begun, and when its effect is there but not its result. */
export function engineCases(): readonly Case[] {
  const commands = {
    container: {
      build: 'image.build',
      push: 'image.push',
      apply: 'container.start',
      verify: 'container.verify',
    },
    compose: { build: 'image.build', push: 'image.push', apply: 'compose.up', verify: 'compose.verify' },
  }
  const crashes: Crashes = { 'after-row': ['engine'], 'after-effect': ['engine'] }
  return (['container', 'compose'] as const).flatMap(target =>
    Object.entries(commands[target]).flatMap(([step, name]) =>
      crashesAt({ target, work: 'deploy', step, row: `worker: ${name}` }, `worker ${name}`, crashes),
    ),
  )
}

/** While a plan waits nothing is at work that could stop somewhere. */
function waitingCases(): readonly Case[] {
  const at = { target: 'container', work: 'approve', step: 'waiting', row: 'step' } as const
  return PARTS.map(victim => ({ ...at, moment: 'after-row', failpoint: '', victim }))
}

function casesOf(target: Target, work: Work, stages: Stages): Case[] {
  return Object.entries(stages).flatMap(([step, stage]) => {
    const at = { target, work, step }
    return [
      ...crashesAt({ ...at, row: 'step' }, placeOfStep(step), stage.step),
      ...Object.entries(stage.commands ?? {}).flatMap(([name, { manager, worker }]) => [
        ...crashesAt({ ...at, row: `manager: ${name}` }, `manager ${step} ${name}`, manager),
        ...crashesAt({ ...at, row: `worker: ${name}` }, `worker ${name}`, worker),
      ]),
      ...(stage.calls ?? []).flatMap(({ of, name, call, victims = ['worker'] }) =>
        victims.map(victim => ({
          ...at,
          row: `call: ${of} ${name}`,
          moment: 'after-call',
          failpoint: `worker ${of} after-call ${call}`,
          victim,
        })),
      ),
    ]
  })
}

function placeOfStep(step: string): string {
  return step === 'end' ? 'manager finish' : `manager step ${step}`
}

function crashesAt(
  at: Pick<Case, 'target' | 'work' | 'step' | 'row'>,
  place: string,
  crashes: Crashes,
): Case[] {
  return Object.entries(crashes).flatMap(([moment, victims]) =>
    victims.map(victim => ({ ...at, moment, failpoint: `${place} ${moment}`, victim })),
  )
}
