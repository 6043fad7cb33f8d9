import { readDuration, writeDuration } from '#lib/duration.ts'
import type { EnvironmentReader } from './environment.ts'
import { DEADLINE_NAMES, type Deadlines, LONGEST_DEADLINE_MS } from './pipeline/deadlines.ts'

const EXPECTED = `name=duration of at most 24h, separated by commas, such as build=45m,deployment=2h (names: ${DEADLINE_NAMES.join(', ')})`

/** `build=45m,deployment=2h` in ms by name. */
export function readDeadlineList(reader: EnvironmentReader, variable: 'FAIRLEAD_DEADLINES'): Deadlines {
  const entries = (reader.text(variable) ?? '').split(/[\s,]+/).filter(entry => entry !== '')
  const read = entries.map(entry => {
    const [name = '', text = ''] = entry.split(/=(.*)/s)
    const ms = readDuration(text) ?? 0
    if (!DEADLINE_NAMES.includes(name) || ms <= 0 || ms > LONGEST_DEADLINE_MS) {
      reader.refuse(variable, `holds "${entry}"`, EXPECTED)
    }
    return [name, ms] as const
  })
  return Object.fromEntries(read)
}

/** The same list again, for the log. */
export function showDeadlines(deadlines: Deadlines): string {
  return Object.entries(deadlines)
    .map(([name, ms = 0]) => `${name}=${writeDuration(ms)}`)
    .join(',')
}
