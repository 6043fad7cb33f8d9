import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { defineError, type ErrorKind, type Problem } from './errors.ts'

export const BAD_INPUT = defineError({
  code: 'BAD_INPUT',
  status: 422,
  retry: 'never',
  message: (what: string, first: string) => `${what} is not valid: ${first}`,
  hint: () => 'Correct the named fields and send it again; the reference is at /api/v1/docs.',
})

const compiled = new WeakMap<TSchema, Validator>()

/** The value, if it fits the schema; otherwise throws `kind` (BAD_INPUT by default) with one problem per place. */
export function check<S extends TSchema>(
  schema: S,
  value: unknown,
  what: string,
  kind: ErrorKind<[string, string]> = BAD_INPUT,
): Static<S> {
  const problems = problemsOf(schema, value)
  const first = problems[0]
  if (first) {
    throw kind(what, `${first.path || 'the whole'} ${first.message}`).with({ problems })
  }
  return value as Static<S>
}

/** What is wrong with a value, in words, with dotted paths; empty when it fits. */
export function problemsOf(schema: TSchema, value: unknown): Problem[] {
  const validator = validatorFor(schema)
  if (validator.Check(value)) {
    return []
  }
  return validator.Errors(value).map(error => ({
    path: dotted(error.instancePath),
    message: error.message,
    ...('additionalProperties' in error.params
      ? { expected: `no key "${String(error.params.additionalProperties)}"` }
      : {}),
  }))
}

function validatorFor(schema: TSchema): Validator {
  let validator = compiled.get(schema)
  if (!validator) {
    validator = Compile(schema)
    compiled.set(schema, validator)
  }
  return validator
}

function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
}
