import { defineError } from '#lib/errors.ts'

export const LINKS_NOT_WRITTEN = defineError({
  code: 'LINKS_NOT_WRITTEN',
  status: 502,
  retry: 'later',
  message: (why: string) => `The links of notebooks could not be written into their repository: ${why}`,
  hint: () =>
    'It is tried again for a day, and with the next deployment. "fairlead notebooks" shows the links.',
})

export const NOTEBOOK_NOT_FOUND = defineError({
  code: 'NOTEBOOK_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (what: string) => `There is no notebook ${what}.`,
  hint: () => '"fairlead notebooks" lists the projects that were deployed.',
})
