import { defineError } from '#lib/errors.ts'

export const STACK_NOT_FOUND = defineError({
  code: 'STACK_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (stack: string) => `There is no stack "${stack}".`,
  hint: (stack: string) =>
    `Make the folder "${stack}" below STACKS_ROOT of a worker, with a Compose file in it; a symbolic link is not followed.`,
})

export const STACK_FILE_UNREADABLE = defineError({
  code: 'STACK_FILE_UNREADABLE',
  status: 422,
  retry: 'never',
  message: (path: string) =>
    `${path} is a symbolic link or cannot be read, so what it holds could not be kept out of the log.`,
  hint: (path: string) =>
    `Put the file itself in place of ${path}, at most 1 MiB large, in a real folder, readable for the user of the worker; a link is not followed.`,
})
