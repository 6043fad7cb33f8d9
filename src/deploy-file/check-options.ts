import { fitsWithinBounds } from '#lib/bounded-pattern.ts'
import type { Problem } from '#lib/errors.ts'
import { nearest } from '#lib/nearest.ts'
import { expectation, ruleOf } from './expectation.ts'
import { explain } from './explain.ts'
import type { OptionRule, OptionsSchema } from './options-schema.ts'

export type OptionValue = string | number | boolean

/** `$NAME`: the value of the secret of that name. */
const SECRET_NAME = /^\$[A-Za-z_][A-Za-z0-9_]*$/

export interface CheckedOptions {
  /** What the Compose files get, as text; empty when there are problems. */
  readonly parameters: Readonly<Record<string, string>>
  readonly problems: readonly Problem[]
}

/** The complete options of a stack: all that are given, and the defaults of the others. */
export function checkOptions(
  schema: OptionsSchema,
  options: Readonly<Record<string, OptionValue>>,
): CheckedOptions {
  const names = Object.keys(schema.properties)
  const problems: Problem[] = []
  const parameters: Record<string, string> = {}
  for (const name of Object.keys(options).filter(given => !names.includes(given))) {
    const near = nearest(name, names)
    problems.push({
      path: name,
      message: `is no option of this definition${near ? `; did you mean "${near}"?` : ''}`,
      expected: names.length === 0 ? 'no options' : `one of ${names.join(', ')}`,
    })
  }
  for (const [name, rule] of Object.entries(schema.properties)) {
    const value = Object.hasOwn(options, name) ? options[name] : rule.default
    if (value !== undefined) {
      problems.push(...faultsOf(rule, value).map(fault => ({ path: name, ...fault })))
      parameters[name] = String(value)
    } else if (schema.required?.includes(name)) {
      problems.push({ path: name, message: 'is missing', expected: expectation(ruleOf(rule as never)) })
    }
  }
  return problems.length > 0 ? { parameters: {}, problems } : { parameters, problems }
}

type Fault = Omit<Problem, 'path'>

function faultsOf(rule: OptionRule, given: OptionValue): readonly Fault[] {
  if (typeof given === 'string' && SECRET_NAME.test(given)) {
    return []
  }
  if (rule.writeOnly) {
    const message = 'is a secret: its value would stand in the repository'
    return [{ message, expected: '"$NAME", the name of a secret of the repository' }]
  }
  const { pattern, ...bounded } = rule
  const value = asTyped(rule.type, given)
  const faults = explain(ruleOf(bounded as never), value).map(({ message, expected }) => ({
    message,
    expected,
  }))
  if (faults.length === 0 && pattern !== undefined && typeof value === 'string') {
    const fits = fitsWithinBounds(pattern, value)
    if (fits !== true) {
      const message =
        fits === undefined
          ? 'cannot be compared with the pattern of its definition'
          : 'does not have the right form'
      return [{ message, expected: `a text that fits ${pattern}` }]
    }
  }
  return faults
}

/** Parameters of files and command lines are texts. */
function asTyped(type: OptionRule['type'], given: OptionValue): OptionValue {
  if (typeof given !== 'string') {
    return type === 'string' ? String(given) : given
  }
  if (type === 'boolean') {
    return given === 'true' ? true : given === 'false' ? false : given
  }
  return type !== 'string' && /^-?[0-9]+(?:\.[0-9]+)?$/.test(given) ? Number(given) : given
}
