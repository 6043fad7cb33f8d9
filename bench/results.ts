import { readFile, writeFile } from 'node:fs/promises'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figure.ts'

/** Both are in the repository: a run replaces what it has measured, and leaves the rest with its date. */
const DATA = 'results.json'
const TABLE = 'RESULTS.md'

export interface Run {
  /** ISO 8601. */
  readonly at: string
  /** Of the machine before it began; null: it was not written down. */
  readonly load: number | null
  readonly machine: string
}

type Result = Figure & Run

/** Writes down what was measured, beside what was measured before; gives the file of the table. */
export async function keepResults(folder: string, figures: readonly Figure[], run: Run): Promise<string> {
  const data = join(folder, DATA)
  const before = JSON.parse(await readFile(data, 'utf8').catch(() => '[]')) as Result[]
  const added = figures.map(figure => ({ ...figure, ...run }))
  const isAnew = (old: Result) => added.some(({ id, what }) => id === old.id && what === old.what)
  const results = [...before.filter(old => !isAnew(old)), ...added].sort(byId)
  await writeFile(data, `${JSON.stringify(results, rounded, 1)}\n`)
  const table = join(folder, TABLE)
  await writeFile(table, tableOf(results))
  return table
}

export function machineHere(): string {
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} processors (${cpus()[0]?.model ?? arch()}), ${memory} GiB, Linux ${release()}, Node ${process.versions.node}`
}

function tableOf(results: readonly Result[]): string {
  const machines = [...new Set(results.map(({ machine }) => machine))]
  const rows = results.map(({ id, what, value, unit, target, note, at, load, machine }) => {
    const where = machines.length > 1 ? `, machine ${machines.indexOf(machine) + 1}` : ''
    const when = `${at.slice(0, 10)}, load ${load === null ? 'not noted' : load.toFixed(1)}${where}`
    const amount = `${shownFigure({ value, unit })}${unit === 'ratio' ? '' : ` ${unit}`}`
    return [id, what, amount.trim(), target, note ?? '', when]
  })
  const lines = [['id', 'what', 'measured', 'wanted', '', 'when'], Array(6).fill('---'), ...rows]
  return `${[
    '# Results',
    '',
    'Written by `npm run bench` from what it measured; [docs/performance.md](../docs/performance.md) tells what the rows mean. Times of one machine say little about another: ratios to the shell script count.',
    '',
    ...machines.map((machine, index) => `${machines.length > 1 ? `Machine ${index + 1}: ` : ''}${machine}.`),
    '',
    ...lines.map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`),
  ].join('\n')}\n`
}

/** P2 before P10; what has no number at the end. */
function byId(one: Result, other: Result): number {
  const rank = ({ id }: Result) => Number(/^P(\d+)$/.exec(id)?.[1] ?? 1_000)
  return rank(one) - rank(other)
}

export function shownFigure({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  return value.toFixed(unit === 'ratio' || unit === '%' ? 2 : 0)
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
