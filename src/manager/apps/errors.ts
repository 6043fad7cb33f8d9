import { defineError } from '#lib/errors.ts'

export const APP_EXISTS = defineError({
  code: 'APP_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already an app "${name}".`,
  hint: () => 'Choose another name; apps of all repositories share their names.',
})

export const APP_DEPLOYING = defineError({
  code: 'APP_DEPLOYING',
  status: 409,
  retry: 'later',
  message: (name: string) => `The app "${name}" is being deployed and cannot be forgotten now.`,
  hint: () =>
    'Wait for the deployment to end, or cancel it: what it starts on the host would belong to nobody.',
})

export const APP_NOT_RELEASED = defineError({
  code: 'APP_NOT_RELEASED',
  status: 409,
  retry: 'never',
  message: (name: string) => `The app "${name}" was never deployed: there is nothing to stop.`,
  hint: name => `"fairlead deploy ${name}" deploys it; "fairlead cancel" ends a deployment at work.`,
})

export const APP_NOT_STOPPABLE = defineError({
  code: 'APP_NOT_STOPPABLE',
  status: 409,
  retry: 'never',
  message: (name: string, why: string, _remedy: string) => `The app "${name}" cannot be stopped: ${why}.`,
  hint: (_name, _why, remedy) => remedy,
})

export const APP_NOT_STOPPED = defineError({
  code: 'APP_NOT_STOPPED',
  status: 409,
  retry: 'never',
  message: (name: string) => `The app "${name}" is not stopped.`,
  hint: name => `"fairlead deploy ${name}" deploys it, "fairlead apps show ${name}" says how it does.`,
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

export const HOST_OF_OTHERS = defineError({
  code: 'HOST_OF_OTHERS',
  status: 403,
  retry: 'never',
  message: (wanted: string, own: string) =>
    `Apps of this repository run on "${own}"; only an admin may have one run on "${wanted}".`,
  hint: () =>
    'Leave the host out, or ask an admin to make the app there: apps can read the secrets of their host.',
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
      ? 'Add one with "fairlead hosts add".'
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

export const VISITS_GO_ON = defineError({
  code: 'VISITS_GO_ON',
  status: 409,
  retry: 'later',
  message: (host: string, visitors: number) =>
    `The worker of "${host}" cannot end visits: ${visitors} ${visitors === 1 ? 'person whose token has ended goes' : 'persons whose tokens have ended go'} on visiting there for up to 12 hours.`,
  hint: () =>
    'Bring the worker of that host to the release of the manager and start it anew; the visits end seconds later.',
})

export const USAGE_NOT_AVAILABLE = defineError({
  code: 'USAGE_NOT_AVAILABLE',
  status: 409,
  retry: 'never',
  message: (app: string, target: string) =>
    `What the app "${app}" uses is not measured (it runs as "${target}").`,
  hint: () => 'Processor and memory are measured of what runs in containers of a Docker engine.',
})

export const USAGE_UNKNOWN = defineError({
  code: 'USAGE_UNKNOWN',
  status: 409,
  retry: 'later',
  message: (host: string) =>
    `The worker of "${host}" cannot tell what its containers use: it is of an older release.`,
  hint: (host: string) => `Install the release of the manager on "${host}" and restart its worker.`,
})
