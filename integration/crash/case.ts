/**
 * What is asked for: an app that runs already is deployed (`failing`: its new version never gets healthy), one that
 * does not run yet is (`first`), or one is removed.
 */
export type Work = 'deploy' | 'first' | 'failing' | 'remove'
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
  readonly failpoint: string
  readonly victim: Victim
}

/** Who is killed at which moment of a row. */
type Crashes = Readonly<Record<string, readonly Victim[]>>

const PARTS = ['manager', 'worker', 'both'] as const
const ALL: Crashes = { 'before-row': PARTS, 'after-row': PARTS, 'after-effect': PARTS }
const BOTH: Crashes = { 'before-row': ['both'], 'after-row': ['both'], 'after-effect': ['both'] }

interface AtCommand {
  readonly manager: Crashes
  readonly worker: Crashes
}

/** A command with an effect: the crashes that those of its step are not (docs/decisions/0009). */
const EFFECT: AtCommand = {
  manager: { 'after-row': ['manager'], 'after-effect': ['manager', 'both'] },
  worker: { 'before-row': ['worker'], 'after-row': PARTS, 'after-effect': ['worker', 'both'] },
}
/** One that only looks (of several at once, one stands for all), or that is told in another step too. */
const BRIEF: AtCommand = {
  manager: { 'after-effect': ['manager'] },
  worker: { 'after-effect': ['both'] },
}

/** The commands that a step tells in the harness's apps, and the calls with an effect outside of Fairlead's own folders. */
interface Stage {
  readonly step: Crashes
  readonly commands?: Readonly<Record<string, AtCommand>>
  readonly calls?: readonly Call[]
}

interface Call {
  readonly of: string
  readonly name: string
  /** As exec/shown.ts writes it; `*` stands for anything. */
  readonly call: string
  readonly victims?: readonly Victim[]
}

type Stages = Readonly<Record<string, Stage>>

const CONTAINER: Stages = {
  checkout: {
    step: ALL,
    commands: { 'repository.checkout': EFFECT },
    calls: [
      { of: 'repository.checkout', name: 'fetch', call: 'git * fetch *' },
      { of: 'repository.checkout', name: 'publish', call: 'rename */checkouts/*' },
    ],
  },
  read: { step: ALL, commands: { 'repository.read': BRIEF } },
  compare: { step: ALL, commands: { 'repository.changes': BRIEF } },
  plan: { step: ALL, commands: { 'container.observe': BRIEF } },
  build: {
    step: ALL,
    commands: { 'image.build': EFFECT },
    calls: [{ of: 'image.build', name: 'build', call: 'build *' }],
  },
  push: {
    step: ALL,
    commands: { 'image.push': EFFECT },
    calls: [
      { of: 'image.push', name: 'push', call: 'POST docker /images/*/push*', victims: ['worker', 'both'] },
    ],
  },
  apply: {
    step: ALL,
    commands: { 'container.start': EFFECT },
    calls: [
      {
        of: 'container.start',
        name: 'create',
        call: 'POST docker /containers/create*',
        victims: ['worker', 'both'],
      },
      {
        of: 'container.start',
        name: 'start',
        call: 'POST docker /containers/*/start',
        victims: ['worker', 'both'],
      },
    ],
  },
  verify: { step: ALL, commands: { 'container.verify': BRIEF } },
  route: { step: ALL, commands: { 'route.point': EFFECT } },
  watch: { step: ALL, commands: { 'container.watch': BRIEF } },
  announce: { step: ALL },
  prune: {
    step: ALL,
    commands: { 'container.remove': EFFECT, 'image.prune': EFFECT, 'repository.forget': EFFECT },
    calls: [
      { of: 'container.remove', name: 'stop', call: 'POST docker /containers/*/stop*' },
      {
        of: 'container.remove',
        name: 'remove',
        call: 'DELETE docker /containers/*',
        victims: ['worker', 'both'],
      },
    ],
  },
  // The end of a deployment is one transaction: there is nothing between its row and its effect.
  end: { step: { 'before-row': PARTS, 'after-row': PARTS } },
}

/** Steps with the same commands as those of a container: only the state of the whole is another one. */
const SAME: Stage = { step: BOTH }

const COMPOSE: Stages = {
  checkout: SAME,
  read: { step: ALL },
  plan: {
    step: ALL,
    commands: { 'compose.render': EFFECT, 'compose.observe': BRIEF },
  },
  build: SAME,
  push: SAME,
  apply: {
    step: ALL,
    commands: { 'compose.up': EFFECT },
    calls: [
      { of: 'compose.up', name: 'create', call: 'docker compose * up *', victims: ['worker', 'both'] },
      { of: 'compose.up', name: 'connect', call: 'POST docker /networks/*/connect' },
      {
        of: 'compose.up',
        name: 'start',
        call: 'POST docker /containers/*/start',
        victims: ['worker', 'both'],
      },
    ],
  },
  verify: { step: ALL, commands: { 'compose.verify': BRIEF } },
  route: SAME,
  watch: SAME,
  announce: SAME,
  prune: {
    step: ALL,
    commands: { 'compose.retire': EFFECT },
    calls: [{ of: 'compose.retire', name: 'stop', call: 'POST docker /containers/*/stop*' }],
  },
}

const CHANGES_PROXY = { name: 'proxy', call: 'POST http*/config/*', victims: ['worker', 'both'] } as const

const FIRST: Stages = {
  route: { step: {}, calls: [{ of: 'route.point', ...CHANGES_PROXY }] },
}

const REMOVE: Readonly<Record<Target, Stages>> = {
  container: {
    'take-down': {
      step: ALL,
      commands: {
        'container.remove': BRIEF,
        'image.prune': BRIEF,
        'route.remove': EFFECT,
        'repository.forget': BRIEF,
      },
      calls: [
        { of: 'image.prune', name: 'remove', call: 'DELETE docker /images/*' },
        { of: 'route.remove', ...CHANGES_PROXY },
      ],
    },
  },
  compose: {
    'take-down': {
      step: ALL,
      commands: { 'compose.down': EFFECT },
      calls: [{ of: 'compose.down', name: 'down', call: 'docker compose * down *' }],
    },
  },
}

/** Undoing has no row of its own: it belongs to the step that failed. */
const UNDO: Readonly<Record<Target, Stages>> = {
  container: {
    undo: {
      step: {},
      commands: {
        'route.point': BRIEF,
        'container.remove': EFFECT,
        'image.prune': BRIEF,
        'repository.forget': BRIEF,
      },
    },
  },
  compose: {
    undo: {
      step: {},
      commands: { 'compose.restore': EFFECT, 'route.point': BRIEF },
      calls: [{ of: 'compose.restore', name: 'remove', call: 'DELETE docker /containers/*' }],
    },
  },
}

/** Every crash of manager and worker. */
export function allCases(): readonly Case[] {
  return [
    ...casesOf('container', 'deploy', CONTAINER),
    ...casesOf('container', 'first', FIRST),
    ...casesOf('container', 'remove', REMOVE.container),
    ...casesOf('container', 'failing', UNDO.container),
    ...casesOf('compose', 'deploy', COMPOSE),
    ...casesOf('compose', 'remove', REMOVE.compose),
    ...casesOf('compose', 'failing', UNDO.compose),
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
