import { defineError } from '#lib/errors.ts'

export const EMAIL_MISSING = defineError({
  code: 'EMAIL_MISSING',
  status: 400,
  retry: 'never',
  message: () => 'Nobody is named who signs in.',
  hint: () =>
    'Without a terminal: fairlead login --email ada@example.org < file; its first line is the password, its second the code of the second factor.',
})

export const LOGIN_MISSING = defineError({
  code: 'LOGIN_MISSING',
  status: 404,
  retry: 'never',
  message: (url: string) => `There is no login at ${url} on this machine.`,
  hint: () => 'Nothing to do; "fairlead login" makes one.',
})

export const PERSON_UNKNOWN = defineError({
  code: 'PERSON_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (email: string) => `Nobody has the account "${email}".`,
  hint: () => '"fairlead people" lists everybody.',
})
