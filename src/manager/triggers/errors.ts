import { defineError } from '#lib/errors.ts'

export const NOT_SIGNED = defineError({
  code: 'NOT_SIGNED',
  status: 401,
  retry: 'never',
  message: () => 'There is no such hook, or the delivery is not signed with its secret.',
  hint: () =>
    'Compare address and secret at the Git host with "fairlead repositories webhook"; make a new secret if in doubt.',
})

export const OTHER_REPOSITORY = defineError({
  code: 'OTHER_REPOSITORY',
  status: 403,
  retry: 'never',
  message: (which: string) => `This hook belongs to another repository than ${which.slice(0, 200)}.`,
  hint: () =>
    'Give each repository its own webhook. If it was renamed or moved, register it by its new address; if it was made anew, make a new webhook secret.',
})

export const DELIVERY_CONFLICT = defineError({
  code: 'DELIVERY_CONFLICT',
  status: 400,
  retry: 'never',
  message: (id: string) => `A delivery with the id ${id} came before, with another body.`,
  hint: () => 'No honest Git host does this: make a new webhook secret and look at who knows the old one.',
})

export const DELIVERY_ID_MISSING = defineError({
  code: 'DELIVERY_ID_MISSING',
  status: 400,
  retry: 'never',
  message: (header: string) => `The delivery has no usable ${header}.`,
  hint: () =>
    'Send deliveries from the Git host itself, or use a hook of the kind "hmac" for senders of your own.',
})

export const APP_NAME_TAKEN = defineError({
  code: 'APP_NAME_TAKEN',
  status: 409,
  retry: 'never',
  message: (names: readonly string[]) =>
    `The repository describes apps whose names others have: ${names.slice(0, 10).join(', ')}.`,
  hint: () =>
    'The apps that have the names go on as they are. Give those of this repository other names (a notebook project with "slug:" in its nb.yaml), or add one with "fairlead apps add --entry".',
})

export const REPOSITORY_NOT_SAID = defineError({
  code: 'REPOSITORY_NOT_SAID',
  status: 422,
  retry: 'never',
  message: () => 'There is not exactly one repository, and the call does not say which one it is about.',
  hint: () => 'Call POST /notify/<name of the repository>; "fairlead repositories" lists them.',
})
