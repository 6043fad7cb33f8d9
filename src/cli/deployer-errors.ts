import { defineError } from '#lib/errors.ts'
import { STACK_NAME } from '#lib/stack-name.ts'

export const SETTING_MISSING = defineError({
  code: 'SETTING_MISSING',
  status: 500,
  retry: 'never',
  message: (missing: string, given: string) => `${given} is given, but ${missing} is not set.`,
  hint: () =>
    'Signed deployments need both: DEPLOY_SECRET, which signs the calls, and STACKS_ROOT, the folder with the stacks (docs/deployer.md).',
})

export const STACK_NAME_WRONG = defineError({
  code: 'STACK_NAME_WRONG',
  status: 422,
  retry: 'never',
  message: (name: string) =>
    `"${name.slice(0, 80)}" is no name of a stack: it is not of the form ${STACK_NAME}.`,
  hint: () => 'A stack is called like its folder below STACKS_ROOT.',
})
