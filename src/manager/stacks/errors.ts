import { defineError } from '#lib/errors.ts'

export const STACK_DEFINITION_UNKNOWN = defineError({
  code: 'STACK_DEFINITION_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string, near: string | undefined) =>
    `No repository has a stack definition "${name}"${near ? `; did you mean "${near}"?` : '.'}`,
  hint: () =>
    '"fairlead stacks definitions" lists them. A definition is a file stack-definition.<name>.json or docker-compose.<name>.yml in a registered repository that creates its apps by itself and has no deploy file (docs/stacks.md).',
})

export const ENGINE_UNSEEN = defineError({
  code: 'ENGINE_UNSEEN',
  status: 503,
  retry: 'later',
  message: (engine: string, host: string, problem: string) =>
    `The engine "${engine}" of "${host}" was not asked: ${problem}`,
  hint: () => 'Its host looks at it once a minute; "fairlead hosts" tells how it is (docs/engines.md).',
})

export const REMOTE_REPO_UNKNOWN = defineError({
  code: 'REMOTE_REPO_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string) => `No repository has a file repo.${name}.json.`,
  hint: () => 'Commit one with the address of the other repository (docs/conventions.md).',
})

export const STACK_UNKNOWN = defineError({
  code: 'STACK_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string) => `No repository describes a stack "${name}".`,
  hint: () =>
    '"fairlead stacks" lists them. One that no file of a registered repository describes cannot be changed here.',
})

export const STACK_AMBIGUOUS = defineError({
  code: 'STACK_AMBIGUOUS',
  status: 409,
  retry: 'never',
  message: (what: string, places: readonly string[]) =>
    `${what} is there more than once: ${places.join(', ')}.`,
  hint: () =>
    'Name the repository, and the engine where one stack is on several: "local" is the one whose file names none.',
})

export const STACK_CONFLICT = defineError({
  code: 'STACK_CONFLICT',
  status: 409,
  retry: 'never',
  message: (file: string, why: string) => `${file} ${why}`,
  hint: () =>
    'Both versions stand in "facts": look at "theirs", and send what you want with its version in If-Match.',
})

export const STACK_OPTIONS_WRONG = defineError({
  code: 'STACK_OPTIONS_WRONG',
  status: 422,
  retry: 'never',
  message: (definition: string, first: string) => `The options do not fit "${definition}": ${first}`,
  hint: () => 'GET /api/v1/stackDefinitions describes them, and which have to be given.',
})

export const STACK_DEFINITION_BROKEN = defineError({
  code: 'STACK_DEFINITION_BROKEN',
  status: 422,
  retry: 'never',
  message: (name: string, first: string) => `The stack definition "${name}" cannot be deployed: ${first}`,
  hint: () => 'Correct the named file in its repository first.',
})

export const STACK_NOT_OURS_TO_WRITE = defineError({
  code: 'STACK_NOT_OURS_TO_WRITE',
  status: 422,
  retry: 'never',
  message: (file: string, why: string) => `${file} cannot be changed here: ${why}`,
  hint: () => 'Change it in the repository.',
})
