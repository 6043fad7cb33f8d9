import type { FairleadError, Problem } from '#lib/errors.ts'
import { PART_DID_NOT_START } from './part-errors.ts'
import type { PartName } from './parts.ts'

const TAIL_LINES = 15

/** Why a part did not start, from what it wrote: the reason and hint that it gives itself, else its last lines. */
export function partFailure(name: PartName, written: string): FairleadError {
  const lines = written.trim().split('\n')
  const events = lines.flatMap(eventIn)
  const failed = events.findLast(({ event }) => event === `${name}.failed`)
  if (!failed) {
    return PART_DID_NOT_START(name, lines.slice(-TAIL_LINES).join('\n'), '')
  }
  const problems = events.flatMap(({ event, path, message }): Problem[] =>
    event === `${name}.problem` ? [{ path: path ?? '', message: message ?? '' }] : [],
  )
  const error = PART_DID_NOT_START(name, failed.message ?? failed.reason ?? '', failed.hint ?? '')
  return problems.length > 1 ? error.with({ problems }) : error
}

function eventIn(line: string): Partial<Record<string, string>>[] {
  try {
    return line.startsWith('{') ? [JSON.parse(line) as Partial<Record<string, string>>] : []
  } catch {
    return []
  }
}
