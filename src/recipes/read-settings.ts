import type { Static, TObject } from 'typebox'
import { ruleOf } from '#deploy-file/expectation.ts'
import { explain } from '#deploy-file/explain.ts'
import { readYaml } from '#deploy-file/yaml-text.ts'
import type { Problem } from '#lib/errors.ts'

export interface ReadSettings<S> {
  /** Undefined when there are problems. */
  readonly value: S | undefined
  readonly problems: readonly Problem[]
  /** Line and column of a value. */
  readonly placeOf: (path: readonly (string | number)[]) => { readonly line: number; readonly column: number }
}

/** A settings file as its schema wants it; all that is wrong with it comes back at once, with lines. */
export function readSettings<S extends TObject>(
  schema: S,
  text: string,
  file: string,
): ReadSettings<Static<S>> {
  const yaml = readYaml(text)
  // A file without a word is a marker.
  const value = yaml.value ?? {}
  const problems =
    yaml.problems.length > 0
      ? yaml.problems
      : explain(ruleOf(schema), value).map(({ path, at, message, expected }) => ({
          path: path.join('.'),
          message,
          expected,
          ...yaml.placeOf(path, at),
        }))
  return {
    value: problems.length > 0 ? undefined : (value as Static<S>),
    problems: problems.map(problem => ({ ...problem, file })),
    placeOf: path => yaml.placeOf(path, 'value'),
  }
}
