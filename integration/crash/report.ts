import { tableLines } from '#cli/print.ts'
import type { Case } from './case.ts'
import type { Result } from './run-case.ts'

const MOMENTS = ['before-row', 'after-row', 'after-effect', 'after-call']

/** One line per crash: where, who was killed, what came of it, how long it took, and all that is wrong. */
export function lineOf(result: Result): string {
  const { crash, outcome, recoveryMs } = result
  const wrong = wrongIn(result).flatMap(([what, texts]) => texts.map(text => `\n    ${what}: ${text}`))
  return `${placeOf(crash)} ${outcome.padEnd(34)} ${String(recoveryMs).padStart(6)} ms${wrong.join('')}`
}

export function placeOf({ target, work, step, row, moment, victim }: Case): string {
  const words: readonly [string, number][] = [
    [target, 9],
    [work, 7],
    [step, 9],
    [row, 28],
    [moment, 12],
    [victim, 7],
  ]
  return words.map(([word, width]) => word.padEnd(width)).join(' ')
}

/** Step and row down, moments across; in each cell who was killed and what came of it. */
export function tableOf(results: readonly Result[]): string {
  const rows = Map.groupBy(results, ({ crash: { target, work, step, row } }) =>
    [target, work, step, row].join(' '),
  )
  const cell = (of: readonly Result[], moment: string) =>
    of
      .filter(({ crash }) => crash.moment === moment)
      .map(result => `${result.crash.victim} ${verdictOf(result)}`)
      .sort()
      .join(', ')
  return tableLines(
    ['', ...MOMENTS],
    [...rows].toSorted().map(([place, of]) => [place, ...MOMENTS.map(moment => cell(of, moment))]),
  ).join('\n')
}

const COLUMNS = ['lost', 'unknown', 'duplicated', 'left behind']
const KNOWN = [...COLUMNS, 'did not happen']

/** `others`: what is wrong after each further crash, as `lost: …`, `unknown: …` and so on. */
export function summaryOf(results: readonly Result[], others: readonly (readonly string[])[] = []): string {
  const found = [
    ...results.flatMap(wrongIn),
    ...others.flat().map(text => [text.replace(/:.*/s, ''), [text]] as const),
  ]
  const count = (wanted: string) =>
    `${wanted}: ${found.flatMap(([what, texts]) => (what === wanted ? texts : [])).length}`
  const all = COLUMNS.map(count)
  // Only said where it was so: the rest of the line is then no proof of anything.
  const missed = count('did not happen')
  const other = found.flatMap(([what, texts]) => (KNOWN.includes(what) ? [] : texts)).length
  all.push(...(missed.endsWith(': 0') ? [] : [missed]), ...(other === 0 ? [] : [`otherwise wrong: ${other}`]))
  return [`crash cases: ${results.length + others.length}`, ...all].join(', ')
}

/** Killing the engine may make a deployment fail and go back, which is no loss (right-end.ts); it shall be seen how often. */
export function wentBackOf(results: readonly Result[]): string {
  const engine = results.filter(({ crash }) => crash.victim === 'engine')
  const failed = engine.filter(({ outcome }) => outcome.startsWith('failed'))
  return `engine cases that failed and went back: ${failed.length} of ${engine.length}`
}

export function isWell(result: Result): boolean {
  return wrongIn(result).length === 0
}

/** The median of the recovery times by victim. */
export function recoveryOf(results: readonly Result[]): string {
  const happened = results.filter(({ missed }) => missed.length === 0)
  return [...Map.groupBy(happened, ({ crash }) => crash.victim)]
    .map(([victim, of]) => {
      const times = of.map(({ recoveryMs }) => recoveryMs).toSorted((a, b) => a - b)
      return `${victim} ${times[Math.floor(times.length / 2)]} ms`
    })
    .join(', ')
}

function verdictOf(result: Result): string {
  const wrong = wrongIn(result).map(([what]) => what)
  return wrong.length === 0 ? 'ok' : wrong.join(' and ').toUpperCase()
}

function wrongIn(found: Result): readonly (readonly [string, readonly string[]])[] {
  return Object.entries({
    'did not happen': found.missed,
    lost: found.lost,
    unknown: found.unknown,
    duplicated: found.duplicated,
    'left behind': found.leftBehind,
  }).filter(([, texts]) => texts.length > 0)
}
