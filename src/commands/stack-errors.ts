import { defineError } from '#lib/errors.ts'

export const STACK_NOT_FOUND = defineError({
  code: 'STACK_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (stack: string) => `There is no stack "${stack}".`,
  hint: (stack: string) =>
    `Make the folder "${stack}" below STACKS_ROOT of a worker, with a Compose file in it; a symbolic link is not followed.`,
})
