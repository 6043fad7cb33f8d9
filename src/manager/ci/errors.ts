import { defineError } from '#lib/errors.ts'

export const CI_TRUST_EXISTS = defineError({
  code: 'CI_TRUST_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already a trust "${name}".`,
  hint: name => `Choose another name, or remove it first with "fairlead trusts remove ${name}".`,
})

export const CI_TRUST_NOT_FOUND = defineError({
  code: 'CI_TRUST_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no trust "${name}".`,
  hint: () => '"fairlead trusts" lists them.',
})

export const CI_TRUST_TOO_WIDE = defineError({
  code: 'CI_TRUST_TOO_WIDE',
  status: 422,
  retry: 'never',
  message: (what: string) => `Too many jobs would be trusted: ${what}`,
  hint: () =>
    'Name the project and which of its jobs, such as "--claim repository=acme/shop --claim ref=refs/heads/main". docs/ci.md explains the claims.',
})

export const ISSUER_NOT_USABLE = defineError({
  code: 'ISSUER_NOT_USABLE',
  status: 422,
  retry: 'never',
  message: (issuer: string, why: string) => `The issuer ${issuer} cannot be asked for its keys: ${why}.`,
  hint: () => 'Give its https:// address, or its public keys as a file ("--keys FILE").',
})

export const ISSUER_KEYS_UNKNOWN = defineError({
  code: 'ISSUER_KEYS_UNKNOWN',
  status: 503,
  retry: { afterSeconds: 30 },
  message: (issuer: string, why: string) => `The keys of the issuer ${issuer} could not be read: ${why}`,
  hint: () =>
    'Try it again in a minute. An issuer in a private network has to be in FAIRLEAD_ALLOW_PRIVATE; of one that the manager cannot reach, give the keys with the trust ("--keys FILE").',
})

export const ID_TOKEN_INVALID = defineError({
  code: 'ID_TOKEN_INVALID',
  status: 401,
  retry: 'never',
  message: (why: string) => `The token of the CI job is not valid: ${why}.`,
  hint: () =>
    'Take a fresh token in the job itself, made for the audience that "fairlead trusts" shows; docs/ci.md shows how.',
})

export const JOB_NOT_TRUSTED = defineError({
  code: 'JOB_NOT_TRUSTED',
  status: 403,
  retry: 'never',
  message: (claims: string) => `No trust allows this CI job to deploy. Its token says: ${claims}.`,
  hint: () => 'Compare that with "fairlead trusts", and add a trust if this job is meant to deploy.',
})

export const NOT_ALLOWED_HERE = defineError({
  code: 'NOT_ALLOWED_HERE',
  status: 403,
  retry: 'never',
  message: (apps: string) =>
    `The token of a CI job may only deploy these apps and read their deployments: ${apps || 'none any more'}.`,
  hint: () =>
    'Name one of them, or use a token of your own (FAIRLEAD_TOKEN). "fairlead trusts" shows what CI jobs may do.',
})
