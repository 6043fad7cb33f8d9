import type { Case } from './case.ts'

/** Of the crashes of manager and worker; more would make `npm test` too long. */
export const SAMPLE_SIZE = 32

/**
 * So many of the cases, in their order, that whatever can come up does: each step, each work of each target, and each
 * victim at each moment of each kind of row; then as much else of each step as there is room for.
 */
export function sampleOf(cases: readonly Case[], size: number): readonly Case[] {
  const chosen = new Set<Case>()
  const seen = new Set<string>()
  for (const sightsOf of [sights, pairs]) {
    const news = (crash: Case) => sightsOf(crash).filter(sight => !seen.has(sight)).length
    for (;;) {
      const [best] = cases.toSorted((a, b) => news(b) - news(a))
      if (!best || chosen.size >= size || news(best) === 0) {
        break
      }
      chosen.add(best)
      sights(best).forEach(sight => void seen.add(sight))
      pairs(best).forEach(sight => void seen.add(sight))
    }
  }
  return cases.filter(crash => chosen.has(crash))
}

/** What one sees of a crash. */
export function sights({ target, work, step, row, moment, victim }: Case): readonly string[] {
  const [kind] = row.split(':')
  return [`step ${step}`, `${work} of ${target}`, `${kind}: ${victim} killed ${moment}`]
}

function pairs({ target, step, row, moment, victim }: Case): readonly string[] {
  return [target, row, moment, victim].map(each => `${step} and ${each}`)
}
