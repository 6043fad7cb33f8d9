import { isDeepStrictEqual } from 'node:util'
import type { Change, Plan, Tell } from '#targets/target.ts'

const STEPS = ['build', 'push', 'apply', 'verify', 'route', 'watch', 'prune', 'undo'] as const

/** One line of the diff in words: `recreate web (its image changed)`. */
export function changeText({ kind, what, from, to, why }: Change): string {
  const move = from === undefined && to === undefined ? '' : `: ${from ?? 'nothing'} → ${to ?? 'nothing'}`
  return `${kind.replaceAll('-', ' ')} ${what}${move}${why ? ` (${why})` : ''}`
}

/**
 * How one plan differs from an earlier one, in words: changes that came and went, and where those are the same the
 * commands that are told otherwise. Names of fields only, never what they hold.
 */
export function planDifference(before: unknown, after: Plan): string[] {
  const earlier = before as Plan | undefined
  if (!earlier) {
    return ['nothing is known of the earlier plan']
  }
  const old = earlier.changes.map(changeText)
  const now = after.changes.map(changeText)
  const words = [
    ...now.filter(text => !old.includes(text)).map(text => `new: ${text}`),
    ...old.filter(text => !now.includes(text)).map(text => `no longer: ${text}`),
  ]
  if (words.length > 0) {
    return words
  }
  const commands = STEPS.flatMap(step => commandDifferences(step, earlier[step], after[step]))
  return commands.length > 0 ? commands : ['what it would keep as the release changed']
}

function commandDifferences(step: string, before: readonly Tell[], after: readonly Tell[]): string[] {
  const came = after.flatMap(tell => {
    const old = before.find(each => each.key === tell.key && each.command === tell.command)
    if (!old) {
      return [`${step}: ${tell.command} is new`]
    }
    const fields = [...new Set([...Object.keys(old.data), ...Object.keys(tell.data)])].filter(
      field => !isDeepStrictEqual(old.data[field], tell.data[field]),
    )
    return fields.length > 0 ? [`${step}: ${tell.command} has another ${fields.sort().join(', ')}`] : []
  })
  const gone = before
    .filter(old => !after.some(each => each.key === old.key && each.command === old.command))
    .map(old => `${step}: ${old.command} is gone`)
  return [...came, ...gone]
}
