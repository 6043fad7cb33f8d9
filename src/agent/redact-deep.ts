import { FairleadError, toWire, type WireError } from '#lib/errors.ts'
import type { Redactor } from '#lib/redact.ts'

const MAX_FACTS = 32 * 1024
const MAX_PROBLEMS = 100

/** The value with every text in it redacted, keys too. */
export function redactDeep(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') {
    return redactor.text(value)
  }
  if (Array.isArray(value)) {
    return value.map(item => redactDeep(item, redactor))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined)
    return Object.fromEntries(entries.map(([key, part]) => [redactor.text(key), redactDeep(part, redactor)]))
  }
  return value
}

/** The error as it may leave this host: redacted, and small enough for the frame that carries it. */
export function redactError(error: FairleadError, redactor: Redactor): FairleadError {
  const wire = redactDeep(toWire(error), redactor) as WireError
  const { facts, problems, ...rest } = wire
  const smallFacts = facts && JSON.stringify(facts).length <= MAX_FACTS ? { facts } : {}
  return new FairleadError({
    ...rest,
    message: wire.message.slice(0, 16_000),
    hint: wire.hint.slice(0, 4_000),
    ...smallFacts,
    ...(problems ? { problems: problems.slice(0, MAX_PROBLEMS).map(shortened) } : {}),
  })
}

function shortened(problem: NonNullable<WireError['problems']>[number]): typeof problem {
  return { ...problem, message: problem.message.slice(0, 2_000) }
}
