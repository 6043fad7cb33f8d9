import { defineError } from '#lib/errors.ts'

export const STACK_OPTION_MALFORMED = defineError({
  code: 'STACK_OPTION_MALFORMED',
  status: 422,
  retry: 'never',
  message: (text: string) => `${JSON.stringify(text.slice(0, 100))} is no option of a stack.`,
  hint: () =>
    'Write NAME=value, for example --set REPLICAS=3; a secret is named with a dollar sign, NAME=$SECRET.',
})

export const STACK_WITHOUT_FILE = defineError({
  code: 'STACK_WITHOUT_FILE',
  status: 404,
  retry: 'never',
  message: (stack: string, engine?: string) =>
    `No repository describes a stack "${stack}"${engine === undefined ? '' : ` for the engine "${engine}"`}.`,
  hint: () => 'See "fairlead stacks"; make one with "fairlead stacks add".',
})
