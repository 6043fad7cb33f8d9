import { Refusal } from './diagnostic.ts'

/** What runtime.txt asks for: `python-3.11`, `r-4.3-2025-07-01`, `r-2025-07-01`. */
export interface Runtime {
  readonly name: string
  readonly version?: string
  /** Of a snapshot of packages. */
  readonly date?: string
}

export function readRuntime(text: string, file: string): Runtime {
  const written = text.trim()
  const [name = '', ...rest] = written.split('-')
  if (![1, 3, 4].includes(rest.length) || name === '' || rest.includes('')) {
    throw new Refusal({
      code: 'RUNTIME',
      file,
      line: 1,
      message: `"${written.slice(0, 60)}" is no runtime.`,
      hint: 'Write python-3.12, r-4.4 or r-4.4-2026-01-31, or remove the file.',
    })
  }
  const version = rest.length === 3 ? undefined : rest[0]
  const date = rest.length === 1 ? undefined : rest.slice(-3).join('-')
  if (date !== undefined && !isDate(date)) {
    throw new Refusal({
      code: 'RUNTIME_DATE',
      file,
      line: 1,
      message: `"${date.slice(0, 60)}" is no date.`,
      hint: 'Write it as year-month-day: r-4.4-2026-01-31.',
    })
  }
  return { name, ...(version === undefined ? {} : { version }), ...(date === undefined ? {} : { date }) }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) {
    return false
  }
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
