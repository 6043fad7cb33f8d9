import { defineError } from '#lib/errors.ts'

export const FILE_NOT_WRITTEN = defineError({
  code: 'FILE_NOT_WRITTEN',
  status: 400,
  retry: 'never',
  message: (file: string, reason: string) => `${file} cannot be written: ${reason}`,
  hint: () => 'Give the path of a file that is not there yet, in a folder that your account can write.',
})

export const BACKUP_NO_KEY = defineError({
  code: 'BACKUP_NO_KEY',
  status: 400,
  retry: 'never',
  message: () => 'No passphrase and no key is given.',
  hint: () =>
    'Give --recipient (--identity to open), a --passphrase-file with a text in it, or type a passphrase.',
})
