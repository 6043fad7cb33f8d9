import { type Environment, unknownSettings } from '#lib/settings.ts'
import { SETTING_UNKNOWN } from './errors.ts'

/** Before anything is done: a misspelt variable would be a setting that silently is not there. */
export function refuseUnknownSettings(environment: Environment): void {
  const problems = unknownSettings(environment)
  const [first] = problems
  if (first) {
    throw SETTING_UNKNOWN(first.path, first.message).with({ problems: problems.slice(1) })
  }
}
