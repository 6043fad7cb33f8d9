import type { ChangeDocument } from '#contract/rest/plans.ts'

interface Look {
  readonly mark: string
  readonly words: string
  readonly colour: string
}

const GREEN = 'text-success'
const RED = 'text-error'
const YELLOW = 'text-warning'

const LOOKS: Readonly<Record<string, Look>> = {
  add: { mark: '+', words: 'add', colour: GREEN },
  replace: { mark: '~', words: 'replace', colour: YELLOW },
  recreate: { mark: '~', words: 'recreate', colour: YELLOW },
  remove: { mark: '−', words: 'remove', colour: RED },
  'delete-volume': { mark: '−', words: 'delete volume', colour: RED },
  open: { mark: '+', words: 'open port', colour: GREEN },
  close: { mark: '−', words: 'close port', colour: RED },
}

export function changeLook(kind: string): Look {
  return LOOKS[kind] ?? { mark: '~', words: kind.replaceAll('-', ' '), colour: YELLOW }
}

/** What a plan changes, and what it names only to say that it stays. */
export function splitChanges(changes: readonly ChangeDocument[]) {
  return {
    changed: changes.filter(({ kind }) => kind !== 'untouched'),
    untouched: changes.filter(({ kind }) => kind === 'untouched').map(({ what }) => what),
  }
}

export interface ShownPlan {
  readonly hash: string | undefined
  readonly nothingToDo: boolean
  readonly changes: readonly ChangeDocument[]
}

/** The plan of a deployment as far as it is shown; a plan of another form is shown as its text only. */
export function planIn(plan: unknown): ShownPlan | undefined {
  if (typeof plan !== 'object' || plan === null) {
    return undefined
  }
  const { hash, nothingToDo, changes } = plan as Partial<Record<keyof ShownPlan, unknown>>
  return {
    hash: typeof hash === 'string' ? hash : undefined,
    nothingToDo: nothingToDo === true,
    changes: Array.isArray(changes) ? (changes as ChangeDocument[]) : [],
  }
}
