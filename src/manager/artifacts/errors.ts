import { defineError } from '#lib/errors.ts'

export const ARTIFACT_NOT_FOUND = defineError({
  code: 'ARTIFACT_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `There is no artefact "${id}".`,
  hint: () => '"fairlead artifacts" lists them.',
})

export const ATTESTATION_NOT_FOUND = defineError({
  code: 'ATTESTATION_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string, kind: string) => `There is no ${kind} of the artefact "${id}" here.`,
  hint: () =>
    'It is made for images that are pushed to a registry, unless the app says "sbom: false"; the log of the deployment says why one is missing. A very large one is in the registry alone.',
})

export const SERVICE_UNKNOWN = defineError({
  code: 'SERVICE_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (service: string) => `No app makes "${service}".`,
  hint: () =>
    'Give the name of an app whose target is "image" ("fairlead apps" lists them); the name of its service works too once it has made one.',
})

export const SERVICE_NAME_TAKEN = defineError({
  code: 'SERVICE_NAME_TAKEN',
  status: 409,
  retry: 'never',
  message: (service: string, repository: string) =>
    `Artefacts called "${service}" are made by the repository "${repository}": no other one makes them.`,
  hint: (service: string) =>
    `Give it another name ("name" of the app). Whoever administers Fairlead gives the name to another repository with "fairlead artifacts grant ${service} REPOSITORY", or frees it with "fairlead artifacts release ${service}".`,
})

export const SERVICE_NAME_FREE = defineError({
  code: 'SERVICE_NAME_FREE',
  status: 404,
  retry: 'never',
  message: (service: string) => `No repository has the name "${service}".`,
  hint: () => '"fairlead artifacts names" lists those that are taken.',
})

export const ARTIFACT_TYPE_UNSUPPORTED = defineError({
  code: 'ARTIFACT_TYPE_UNSUPPORTED',
  status: 422,
  retry: 'never',
  message: (type: string) => `Artefacts of the type ${JSON.stringify(type)} are not supported.`,
  hint: () =>
    'The one type is "docker". Images of virtual machines such as an AMI are not made: they need an account at a cloud.',
})
