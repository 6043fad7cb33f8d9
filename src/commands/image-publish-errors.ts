import { defineError } from '#lib/errors.ts'

export const VERSION_EXISTS = defineError({
  code: 'VERSION_EXISTS',
  status: 409,
  retry: 'never',
  message: (reference: string, digest: string) =>
    `${reference} exists already, with another content (${digest.slice(0, 19)}…).`,
  hint: () =>
    'Choose another version. Whoever has pulled this one relies on it; if it shall really become something else, set "overwrite: true" for the app.',
})

export const TAG_RESERVED = defineError({
  code: 'TAG_RESERVED',
  status: 422,
  retry: 'never',
  message: (reference: string) => `${reference} has a tag by which Fairlead finds images by their content.`,
  hint: () =>
    'Choose another version or tag. Tags like "t-…" and "e-…" with 24 or 32 hexadecimal digits, and "sha256-…", are made by Fairlead and by registries alone.',
})

export const LOCAL_NAME_TAKEN = defineError({
  code: 'LOCAL_NAME_TAKEN',
  status: 409,
  retry: 'never',
  message: (name: string) => `The engine has another image called ${name}, which is not of this app.`,
  hint: () => 'Set another "name" for the app, or remove that image ("docker rmi") if nobody needs it.',
})

export const PUSH_INCOMPLETE = defineError({
  code: 'PUSH_INCOMPLETE',
  status: 502,
  retry: 'later',
  message: (name: string, has: readonly string[], lacks: readonly string[]) =>
    `${name} is ${has.length === 0 ? 'in none of its registries' : `in ${has.join(', ')}`}; it is missing in ${lacks.join('; ')}`,
  hint: () => 'Mend what is said of the missing ones, then deploy again: only these are pushed.',
})

export const PUSH_NOT_CONFIRMED = defineError({
  code: 'PUSH_NOT_CONFIRMED',
  status: 502,
  retry: 'later',
  message: (reference: string, digest: string, found: string) =>
    `${reference} was pushed as ${digest}, but its registry answers: ${found}.`,
  hint: () => 'Somebody pushed there at the same time, or the registry lost it. Deploy again.',
})
