import { defineError } from '#lib/errors.ts'

export const APP_EXISTS = defineError({
  code: 'APP_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already an app "${name}".`,
  hint: () => 'Choose another name; apps of all repositories share their names.',
})

export const REMOVAL_NOT_HELD = defineError({
  code: 'REMOVAL_NOT_HELD',
  status: 409,
  retry: 'never',
  message: (repository: string, apps: readonly string[]) =>
    `No removal of these apps of "${repository}" waits for anybody: ${apps.slice(0, 10).join(', ')}.`,
  hint: repository =>
    `Their files may be back, or somebody was faster: see "fairlead repositories removals ${repository}".`,
})

export const RELEASE_NOT_FOUND = defineError({
  code: 'RELEASE_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (app: string, release: string | undefined) =>
    release === undefined
      ? `The app "${app}" has no earlier release.`
      : `The app "${app}" has no release "${release}".`,
  hint: (app: string) => `List its releases with "fairlead releases ${app}".`,
})

export const HOST_UNKNOWN = defineError({
  code: 'HOST_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (name: string | undefined, known: readonly string[]) =>
    name === undefined
      ? `There ${known.length === 0 ? 'is no worker yet' : `are ${known.length} workers (${known.join(', ')}); name one`}.`
      : `There is no worker "${name}".`,
  hint: (_, known) =>
    known.length === 0
      ? 'Add one with "fairlead hosts join".'
      : `Give one of these as host: ${known.join(', ')}.`,
})

export const VERSION_CHANGED = defineError({
  code: 'VERSION_CHANGED',
  status: 412,
  retry: 'never',
  message: (what: string, now: number) => `${what} was changed in the meantime: it is at version ${now}.`,
  hint: () =>
    'Read it again, make your change on top of what is there now, and send it with the new version.',
})
