import type { Target } from './case.ts'
import { ALL, type AtCommand, BOTH, BRIEF, EFFECT, ONCE, PARTS, type Stage, type Stages } from './stage.ts'

export const CONTAINER: Stages = {
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

export const COMPOSE: Stages = {
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

export const FIRST: Stages = {
  route: { step: {}, calls: [{ of: 'route.point', ...CHANGES_PROXY }] },
}

export const REMOVE: Readonly<Record<Target, Stages>> = {
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

export const STOP: Readonly<Record<Target, Stages>> = {
  container: {
    stop: { step: ALL, commands: { 'container.remove': BRIEF, 'route.remove': BRIEF } },
  },
  compose: {
    stop: {
      step: BOTH,
      commands: { 'compose.stop': EFFECT },
      calls: [{ of: 'compose.stop', name: 'stop', call: 'docker compose * stop' }],
    },
  },
}

/** Undoing has no row of its own: it belongs to the step that failed. */
export const UNDO: Readonly<Record<Target, Stages>> = {
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

/** From the plan on these are the steps of a deployment; what differs is where they take it from. */
export const ROLLBACK: Readonly<Record<Target, Stages>> = {
  container: {
    retrieve: { step: ALL },
    plan: SAME,
    build: { step: ONCE },
    apply: { step: BOTH, commands: { 'container.start': BRIEF } },
    verify: SAME,
    route: { step: BOTH, commands: { 'route.point': BRIEF } },
    prune: { step: ONCE },
  },
  compose: {
    retrieve: { step: ALL },
    plan: { step: BOTH, commands: { 'compose.recall': BRIEF } },
    apply: { step: BOTH, commands: { 'compose.up': BRIEF } },
    verify: SAME,
    route: { step: ONCE },
    prune: { step: ONCE },
  },
}

/** The worker stopped with the command begun, or done but not told of: it hears of the cancellation when it is back. */
const HELD: AtCommand = { manager: {}, worker: { 'after-row': PARTS, 'after-effect': PARTS } }
const BEGUN: AtCommand = { manager: {}, worker: { 'after-row': ['both'] } }

/** Where a cancellation ends the deployment, and from apply on takes back what was done. */
export const CANCEL: Readonly<Record<Target, Stages>> = {
  container: {
    checkout: { step: {}, commands: { 'repository.checkout': HELD } },
    build: { step: {}, commands: { 'image.build': HELD } },
    push: { step: {}, commands: { 'image.push': BEGUN } },
    apply: { step: {}, commands: { 'container.start': HELD } },
    verify: { step: {}, commands: { 'container.verify': BEGUN } },
    route: { step: {}, commands: { 'route.point': HELD } },
    watch: { step: {}, commands: { 'container.watch': BEGUN } },
  },
  compose: {
    apply: { step: {}, commands: { 'compose.up': HELD } },
    verify: { step: {}, commands: { 'compose.verify': BEGUN } },
  },
}

/** An approved deployment begins anew at its first step. */
export const APPROVE: Stages = {
  checkout: { step: { 'before-row': PARTS } },
  plan: { step: { 'after-row': ['manager'], 'after-effect': ['manager', 'both'] } },
  apply: { step: { 'before-row': ['both'] } },
}
