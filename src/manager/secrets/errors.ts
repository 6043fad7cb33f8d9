import { defineError } from '#lib/errors.ts'

export const SEAL_KEY_UNSAFE = defineError({
  code: 'SEAL_KEY_UNSAFE',
  status: 500,
  retry: 'never',
  message: (file: string, reason: string) => `The key file ${file} cannot be used: ${reason}.`,
  hint: (file: string) =>
    `Restore ${file} from a backup with "chmod 600"; without it stored secrets cannot be read.`,
})

export const SEAL_KEY_WRONG = defineError({
  code: 'SEAL_KEY_WRONG',
  status: 500,
  retry: 'never',
  message: (file: string) => `The key file ${file} is not the one that this database was written with.`,
  hint: () => 'Restore the key file that belongs to the database; both are in the same backup.',
})

export const SEALED_VALUE_DAMAGED = defineError({
  code: 'SEALED_VALUE_DAMAGED',
  status: 500,
  retry: 'never',
  message: (place: string) => `The stored secret ${place} was changed from outside and cannot be read.`,
  hint: () => 'Set the secret or credential again; if you changed nothing by hand, look for who did.',
})

export const SECRET_REVISION_GONE = defineError({
  code: 'SECRET_REVISION_GONE',
  status: 409,
  retry: 'never',
  message: (name: string, revision: number | string) =>
    `Revision ${revision} of the secret "${name}", which this release was made with, is no longer kept.`,
  hint: () =>
    'Values are kept for the releases that can be gone back to ("fairlead releases" shows them). Deploy the commit of the release instead.',
})

export const SECRET_NOT_FOUND = defineError({
  code: 'SECRET_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (app: string, name: string) => `The app "${app}" has no secret "${name}".`,
  hint: (app: string) => `List its secrets with "fairlead secrets list ${app}".`,
})

export const SHARED_SECRET_NOT_FOUND = defineError({
  code: 'SHARED_SECRET_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (what: 'repository' | 'host', owner: string, name: string) =>
    `The ${what} "${owner}" has no secret "${name}".`,
  hint: (what: 'repository' | 'host', owner: string) =>
    `List its secrets with "fairlead secrets list --${what} ${owner}".`,
})
