import type { Case } from './case.ts'
import type { Result } from './run-case.ts'

/** One line per crash: where, who was killed, what came of it, how long it took, and all that is wrong. */
export function lineOf({ crash, outcome, recoveryMs, ...found }: Result): string {
  const wrong = Object.entries({
    lost: found.lost,
    unknown: found.unknown,
    duplicated: found.duplicated,
    'left behind': found.leftBehind,
  }).flatMap(([what, texts]) => texts.map(text => `\n    ${what}: ${text}`))
  return `${placeOf(crash)} ${outcome.padEnd(34)} ${String(recoveryMs).padStart(6)} ms${wrong.join('')}`
}

export function placeOf({ target, work, step, row, moment, victim }: Case): string {
  const words: readonly [string, number][] = [
    [target, 9],
    [work, 7],
    [step, 9],
    [row, 27],
    [moment, 12],
    [victim, 7],
  ]
  return words.map(([word, width]) => word.padEnd(width)).join(' ')
}

export function summaryOf(results: readonly Result[]): string {
  const count = (of: (result: Result) => readonly string[]) =>
    results.reduce((sum, result) => sum + of(result).length, 0)
  return `crash cases: ${results.length}, lost: ${count(({ lost }) => lost)}, unknown: ${count(({ unknown }) => unknown)}, duplicated: ${count(({ duplicated }) => duplicated)}, left behind: ${count(({ leftBehind }) => leftBehind)}`
}

export function isWell({ lost, unknown, duplicated, leftBehind }: Result): boolean {
  return [lost, unknown, duplicated, leftBehind].every(list => list.length === 0)
}

/** The median of the recovery times by victim. */
export function recoveryOf(results: readonly Result[]): string {
  const victims = [...new Set(results.map(({ crash }) => crash.victim))]
  return victims
    .map(victim => {
      const times = results
        .filter(({ crash }) => crash.victim === victim)
        .map(({ recoveryMs }) => recoveryMs)
        .toSorted((a, b) => a - b)
      return `${victim} ${times[Math.floor(times.length / 2)]} ms`
    })
    .join(', ')
}
