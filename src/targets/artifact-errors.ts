import { defineError } from '#lib/errors.ts'

export const VERSION_UNKNOWN = defineError({
  code: 'VERSION_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (app: string, why: string) => `"${app}" has no version: ${why}.`,
  hint: (app: string) =>
    `Correct "version" in the deploy file, or name one: "fairlead deploy ${app} --version 1.2.0".`,
})

export const VERSION_REFUSED = defineError({
  code: 'VERSION_REFUSED',
  status: 422,
  retry: 'never',
  message: (version: string, where: string) => `${JSON.stringify(version)} (${where}) cannot be a version.`,
  hint: () =>
    'It becomes the tag of an image: at most 128 letters, digits, "_", "." and "-", the first one no "." or "-". A "+" has to be written otherwise.',
})

export const SERVICE_NAME_DIFFERS = defineError({
  code: 'SERVICE_NAME_DIFFERS',
  status: 409,
  retry: 'never',
  message: (wanted: string, app: string, name: string) =>
    `"${wanted}" was asked for, but at this commit the app "${app}" makes "${name}".`,
  hint: (_wanted: string, _app: string, name: string) => `Ask for "${name}", or change "name" of the app.`,
})

export const NO_REGISTRY = defineError({
  code: 'NO_REGISTRY',
  status: 422,
  retry: 'never',
  message: (app: string) => `There is no registry that "${app}" could be pushed to.`,
  hint: () =>
    'Name one in "push", or start the manager with FAIRLEAD_REGISTRY. "push: []" leaves the image on the host that builds it.',
})
