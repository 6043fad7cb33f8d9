import type { ChangeDocument } from '#contract/rest/plans.ts'
import { inertLine } from './inert.ts'
import type { Colours } from './print.ts'

/** A plan as it is shown, of a preview or of a deployment. */
export interface ShownPlan {
  readonly app: string
  readonly commit: string
  readonly subject: string
  readonly hash: string
  readonly nothingToDo: boolean
  readonly changes: readonly ChangeDocument[]
}

interface Look {
  readonly mark: string
  readonly words: string
  readonly colour: 'green' | 'red' | 'yellow' | 'dim'
}

const LOOKS: Readonly<Record<string, Look>> = {
  add: { mark: '+', words: 'add', colour: 'green' },
  replace: { mark: '~', words: 'replace', colour: 'yellow' },
  recreate: { mark: '~', words: 'recreate', colour: 'yellow' },
  remove: { mark: '-', words: 'remove', colour: 'red' },
  'delete-volume': { mark: '-', words: 'delete volume', colour: 'red' },
  open: { mark: '+', words: 'open port', colour: 'green' },
  close: { mark: '-', words: 'close port', colour: 'red' },
}
const HASH_SHOWN = 16
const WORDS_WIDTH = 13
const WHAT_WIDTH = 44

/** A plan in words: one line for each thing that changes, one for all that stays. */
export function planLines(plan: ShownPlan, colour: Colours): string[] {
  const changes = plan.changes.filter(({ kind }) => kind !== 'untouched')
  const untouched = plan.changes.filter(({ kind }) => kind === 'untouched').map(({ what }) => what)
  const width = Math.min(WHAT_WIDTH, Math.max(0, ...changes.map(({ what }) => inertLine(what).length)))
  return [
    `${colour.bold(plan.app)} at ${plan.commit.slice(0, 12)} ${inertLine(plan.subject, 60)}`.trimEnd(),
    ...(plan.nothingToDo ? [`  ${colour.green('No change:')} what runs is what is wanted.`] : []),
    ...changes.map(change => changeLine(change, width, colour)),
    ...(untouched.length > 0
      ? [colour.dim(`    ${'untouched'.padEnd(WORDS_WIDTH)} ${inertLine(untouched.join(', '), 1_000)}`)]
      : []),
    colour.dim(`  plan ${plan.hash.slice(0, HASH_SHOWN)}`),
  ]
}

function changeLine({ kind, what, from, to, why }: ChangeDocument, width: number, colour: Colours): string {
  const look = LOOKS[kind] ?? { mark: '~', words: kind.replaceAll('-', ' '), colour: 'yellow' }
  const head = colour[look.colour](`${look.mark} ${inertLine(look.words).padEnd(WORDS_WIDTH)}`)
  const move =
    from === undefined && to === undefined ? '' : `${inertLine(from ?? 'none')} → ${inertLine(to ?? 'none')}`
  const reason = why === undefined ? '' : colour.dim(inertLine(why))
  const tail = [move, reason].filter(text => text !== '').join('  ')
  return `  ${head} ${inertLine(what).padEnd(tail === '' ? 0 : width)}${tail === '' ? '' : `  ${tail}`}`
}
