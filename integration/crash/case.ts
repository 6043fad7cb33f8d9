/** What is asked for: an app is deployed (`failing`: its new version never gets healthy) or removed. */
export type Work = 'deploy' | 'failing' | 'remove'
export type Target = 'container' | 'compose'
export type Moment = 'before-row' | 'after-row' | 'after-effect'
export type Victim = 'manager' | 'worker' | 'both' | 'engine'

/** One crash: the part with the failpoint stops there, and the victims are killed. */
export interface Case {
  readonly target: Target
  readonly work: Work
  readonly step: string
  /** Whose row: of the step, of a command at the manager, or of a command at the worker. */
  readonly row: string
  readonly moment: string
  readonly failpoint: string
  readonly victim: Victim
}

const MOMENTS: readonly Moment[] = ['before-row', 'after-row', 'after-effect']
const VICTIMS: readonly Victim[] = ['manager', 'worker', 'both']

type Commands = Readonly<Record<string, readonly string[]>>

/** The commands that each step tells in the harness's apps. */
const CONTAINER: Commands = {
  checkout: ['repository.checkout'],
  read: ['repository.read'],
  plan: ['image.content', 'container.observe', 'route.observe'],
  build: ['image.build'],
  push: ['image.push'],
  apply: ['container.start'],
  verify: ['container.verify'],
  route: ['route.point'],
  watch: ['container.watch'],
  announce: [],
  prune: ['container.remove', 'image.prune', 'repository.forget'],
}

const COMPOSE: Commands = {
  ...CONTAINER,
  read: [],
  plan: ['compose.render', 'compose.observe', 'route.observe', 'image.content'],
  apply: ['compose.up'],
  verify: ['compose.verify'],
  watch: ['container.watch'],
  prune: ['compose.retire', 'image.prune', 'repository.forget'],
}

const REMOVE: Readonly<Record<Target, Commands>> = {
  container: { 'take-down': ['container.remove', 'image.prune', 'route.remove'] },
  compose: { 'take-down': ['compose.down', 'image.prune'] },
}

/** Undoing has no row of its own: it belongs to the step that failed. */
const UNDO: Readonly<Record<Target, Commands>> = {
  container: { undo: ['route.point', 'container.remove'] },
  compose: { undo: ['compose.restore', 'route.point'] },
}

/** Every crash of manager and worker. */
export function allCases(): readonly Case[] {
  return [
    ...casesOf('container', 'deploy', CONTAINER),
    ...finishCases('container'),
    ...casesOf('container', 'remove', REMOVE.container),
    ...casesOf('container', 'failing', UNDO.container),
    ...casesOf('compose', 'deploy', COMPOSE),
    ...casesOf('compose', 'remove', REMOVE.compose),
    ...casesOf('compose', 'failing', UNDO.compose),
  ]
}

/** The engine dies in a command: when it has begun, and when its effect is there but not its result. */
export function engineCases(): readonly Case[] {
  return (['container', 'compose'] as const).flatMap(target =>
    Object.entries(target === 'container' ? CONTAINER : COMPOSE)
      .filter(([step]) => ['build', 'push', 'apply', 'verify'].includes(step))
      .flatMap(([step, [command = '']]) =>
        (['after-row', 'after-effect'] as const).map(moment => ({
          ...({ target, work: 'deploy', step, row: command, moment, victim: 'engine' } as const),
          failpoint: `worker ${command} ${moment}`,
        })),
      ),
  )
}

function casesOf(target: Target, work: Work, commands: Commands): Case[] {
  return Object.entries(commands).flatMap(([step, names]) => [
    ...(step === 'undo' ? [] : crashes({ target, work, step }, 'step', `manager step ${step}`)),
    ...names.flatMap(name => [
      ...crashes({ target, work, step }, `manager: ${name}`, `manager ${step} ${name}`),
      ...crashes({ target, work, step }, `worker: ${name}`, `worker ${name}`),
    ]),
  ])
}

function crashes(of: Pick<Case, 'target' | 'work' | 'step'>, row: string, place: string): Case[] {
  return MOMENTS.flatMap(moment =>
    VICTIMS.map(victim => ({ ...of, row, moment, failpoint: `${place} ${moment}`, victim })),
  )
}

/** The end of a deployment is one transaction: there is nothing between its row and its effect. */
function finishCases(target: Target): Case[] {
  return (['before-row', 'after-row'] as const).flatMap(moment =>
    VICTIMS.map(victim => ({
      ...({ target, work: 'deploy', step: 'end', row: 'deployment', moment, victim } as const),
      failpoint: `manager finish ${moment}`,
    })),
  )
}
