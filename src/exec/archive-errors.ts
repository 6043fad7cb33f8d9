import { defineError } from '#lib/errors.ts'

export const ARCHIVE_DAMAGED = defineError({
  code: 'ARCHIVE_DAMAGED',
  status: 422,
  retry: 'never',
  message: (file: string, why: string) => `The file ${file} cannot be used: ${why}.`,
  hint: () => 'Take another backup; this one was changed, cut off or deleted on its host.',
})

export const ARCHIVE_CUT_OFF = defineError({
  code: 'ARCHIVE_CUT_OFF',
  status: 502,
  retry: 'later',
  message: (file: string) => `Only a part of ${file} was carried over.`,
  hint: () => 'The other host went away in the middle. Ask for the copy again when both are online.',
})

export const ARCHIVE_TOO_LARGE = defineError({
  code: 'ARCHIVE_TOO_LARGE',
  status: 507,
  retry: 'never',
  message: (file: string, most: number) => `The file ${file} would have more than ${most} bytes.`,
  hint: () =>
    'Delete what nobody needs in the system, or give it a larger disk: the bound follows from that.',
})
