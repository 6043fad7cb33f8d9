import { defineError } from '#lib/errors.ts'

export const REGISTRY_INCOMPLETE = defineError({
  code: 'REGISTRY_INCOMPLETE',
  status: 422,
  retry: 'never',
  message: (missing: readonly string[]) => `The registry cannot be made: there is no ${missing.join(', ')}.`,
  hint: () => '"fairlead registry up --name HOST" makes all of them.',
})

export const CERTIFICATE_UNFIT = defineError({
  code: 'CERTIFICATE_UNFIT',
  status: 422,
  retry: 'never',
  message: (name: string, why: string) => `The certificate is none for "${name}": ${why}.`,
  hint: (name: string) =>
    `Give one that is valid, is for "${name}" (as a subject alternative name) and belongs to the key; or none, and "fairlead registry up" makes one.`,
})

export const NO_REGISTRY = defineError({
  code: 'NO_REGISTRY',
  status: 404,
  retry: 'never',
  message: () => 'There is no registry: images stay on the host that built them.',
  hint: () => 'Make one with "fairlead registry up --name HOST", or name one with FAIRLEAD_REGISTRY.',
})

export const REGISTRY_PATH_TAKEN = defineError({
  code: 'REGISTRY_PATH_TAKEN',
  status: 409,
  retry: 'never',
  message: (path: string, owner: string) =>
    `Images called "${path}" belong to the app "${owner}" of another repository: nothing is pushed there.`,
  hint: () =>
    'Give the image another name: "name" or "push" of an app with the target "image", "image_name" of a container, the name of the service in a Compose file.',
})

export const COLLECT_WAITS = defineError({
  code: 'COLLECT_WAITS',
  status: 409,
  retry: 'later',
  message: (deployment: string) => `A deployment of the registry waits already: ${deployment}.`,
  hint: () => 'Try again when it has ended: "fairlead status" shows it.',
})

export const COLLECT_BLIND = defineError({
  code: 'COLLECT_BLIND',
  status: 503,
  retry: 'later',
  message: (host: string, engine: string, problem: string) =>
    `What the engine "${engine}" of "${host}" runs is not known, so nothing is deleted: ${problem}`,
  hint: (host: string, engine: string) =>
    `Let the engine answer ("fairlead hosts" shows it), or take "${engine}" out of the file of engines on "${host}" when it will not come back.`,
})

export const REGISTRY_IS_NAMED = defineError({
  code: 'REGISTRY_IS_NAMED',
  status: 409,
  retry: 'never',
  message: (address: string) => `FAIRLEAD_REGISTRY names a registry already: ${address}.`,
  hint: () =>
    'Take FAIRLEAD_REGISTRY… out of the environment of the manager and start it again, or keep using that one.',
})

export const REGISTRY_STAYS = defineError({
  code: 'REGISTRY_STAYS',
  status: 409,
  retry: 'never',
  message: (app: string, host: string) =>
    `The registry "${app}" runs on "${host}" with its images; it cannot be given another host or another app.`,
  hint: (_app: string, host: string) =>
    `Leave "--host" and "--app" out to change it where it is. To begin anew elsewhere: "fairlead registry down", then "fairlead registry up" with the name, the host and "--password-file"; deploy the apps again, which pushes their images there. Its images stay in the volume on "${host}" until it is taken down with "--delete-images".`,
})
