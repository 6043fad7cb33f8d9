import picocolors from 'picocolors'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError, type Problem, toWire } from '#lib/errors.ts'
import { dialectOf } from './ci-dialect.ts'
import { type CiGroups, createCiGroups } from './ci-groups.ts'
import type { CiSystem } from './config.ts'
import { inert, inertLine } from './inert.ts'
import { asCalled } from './program-name.ts'

export type Colours = ReturnType<typeof picocolors.createColors>

/** Everything the command line prints goes through here: the answer to standard output, progress to standard error. */
export interface Printer {
  readonly json: boolean
  /** One line of the answer; nothing with --json. */
  line(text?: string): void
  /** The whole answer for programs; nothing without --json. */
  answer(value: unknown): void
  /** Rows with aligned columns under a header. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void
  /** A line of a stream: the text, or with --json the value as one line of JSON. */
  entry(text: string, value: unknown): void
  /** Progress and remarks, on standard error. */
  note(text: string): void
  error(error: unknown): void
  /** Colours for standard output. */
  readonly colour: Colours
  /** Standard error as a place for a moving display; undefined when it is no terminal. */
  readonly display: Display | undefined
  /** Groups of lines in the log of a CI job; undefined where there is none. */
  readonly groups: CiGroups | undefined
}

export interface Display {
  readonly columns: number
  readonly rows: number
  readonly colour: Colours
  write(text: string): void
}

interface PrinterOptions {
  readonly json: boolean
  /** How the program was called. */
  readonly program: string
  /** Which CI system reads what is printed. */
  readonly ci?: CiSystem | undefined
}

export function createPrinter(options: PrinterOptions): Printer {
  const colour = coloursFor(process.stdout)
  const dialect = options.ci && dialectOf(options.ci)
  const quiet = dialect?.quiet ?? ((text: string) => text)
  const called = (text: string) => quiet(asCalled(text, options.program))
  const json = (value: unknown) => jsonLine(value, options.ci)
  const line = (text = '') => {
    if (!options.json) {
      process.stdout.write(`${called(text)}\n`)
    }
  }
  return {
    json: options.json,
    line,
    answer(value) {
      if (options.json) {
        process.stdout.write(json(value))
      }
    },
    table(header, rows) {
      if (rows.length === 0) {
        line(colour.dim('none yet'))
        return
      }
      for (const [index, text] of tableLines(header, rows).entries()) {
        line(index === 0 ? colour.dim(text) : text)
      }
    },
    entry: (text, value) => process.stdout.write(options.json ? json(value) : `${quiet(text)}\n`),
    note: text => process.stderr.write(`${called(text)}\n`),
    error(thrown) {
      const error = asFairleadError(thrown)
      if (options.json) {
        const wire = toWire(error)
        const shown = { ...wire, message: called(wire.message), hint: called(wire.hint) }
        process.stdout.write(json({ error: shown }))
        return
      }
      const lines = errorLines(error, coloursFor(process.stderr))
      const text = asCalled(lines.join('\n'), options.program)
      process.stderr.write(`${dialect?.annotation('Fairlead', text) ?? quiet(text)}\n`)
    },
    colour,
    display: options.json ? undefined : displayOf(process.stderr),
    groups: dialect && createCiGroups(dialect, systemClock, line => void process.stderr.write(`${line}\n`)),
  }
}

/** An error as a person reads it: what, where in the files, what to do next. */
export function errorLines(error: FairleadError, colour: Colours): string[] {
  return [
    `${colour.red('error:')} ${inert(error.message).trim()}`,
    ...(error.problems ?? []).map(problem => `  ${problemLine(problem)}`),
    ...(error.hint === '' ? [] : [`${colour.cyan('hint:')} ${inert(error.hint)}`]),
  ]
}

/** `fairlead.yaml:7 apps.shop.target: is unknown (expected …)` */
export function problemLine(problem: Problem): string {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter(part => part !== undefined)
    .join(':')
  const what = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`
  const expected = problem.expected === undefined ? '' : ` (expected ${problem.expected})`
  return inertLine(`${place} ${what}${expected}`, 1_000)
}

/** Columns as wide as their longest cell, the header first. */
export function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows].map(row => header.map((_, column) => inertLine(row[column] ?? '', 200)))
  const widths = header.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  return cells.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** One line; where a runner obeys `##[` anywhere in one, that is written as JSON may write it as well. */
function jsonLine(value: unknown, ci: CiSystem | undefined): string {
  const text = JSON.stringify(value)
  return `${ci === 'github' ? text.replaceAll('##[', '#\\u0023[') : text}\n`
}

function coloursFor(stream: NodeJS.WriteStream): Colours {
  return picocolors.createColors(stream.isTTY === true && picocolors.isColorSupported)
}

function displayOf(stream: NodeJS.WriteStream): Display | undefined {
  if (stream.isTTY !== true) {
    return undefined
  }
  return {
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
    colour: coloursFor(stream),
    write: text => stream.write(text),
  }
}
