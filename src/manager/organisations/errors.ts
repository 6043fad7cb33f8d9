import { defineError } from '#lib/errors.ts'

export const ORGANISATION_UNKNOWN = defineError({
  code: 'ORGANISATION_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no organisation "${name}".`,
  hint: () =>
    'List organisations with "fairlead organisations", or add it with "fairlead organisations add".',
})

export const ORGANISATION_EXISTS = defineError({
  code: 'ORGANISATION_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) =>
    `The organisation "${name}" is on the list already, or another one has this name.`,
  hint: () => 'Change the one that is there, or choose another name.',
})

export const OWNER_NOT_ALLOWED = defineError({
  code: 'OWNER_NOT_ALLOWED',
  status: 403,
  retry: 'never',
  message: (owner: string, server: string) =>
    `Repositories of "${owner}" at ${server} may not be deployed here.`,
  hint: (_owner, server) =>
    `Only listed organisations and servers may: add it with "fairlead organisations add", or allow its whole server with FAIRLEAD_GIT_HOSTS=${server} where the manager starts (all that you want, separated by commas).`,
})

export const ORGANISATION_REPLACED = defineError({
  code: 'ORGANISATION_REPLACED',
  status: 403,
  retry: 'never',
  message: (owner: string, server: string) =>
    `"${owner}" at ${server} is another organisation now than the one that was allowed: the name was given to somebody else.`,
  hint: () =>
    'Nothing of it is deployed any more; what runs keeps running. Find out what became of yours, then remove this one and add it by its present name.',
})

export const ORGANISATION_NOT_FOUND = defineError({
  code: 'ORGANISATION_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (owner: string, server: string) =>
    `There is no organisation "${owner}" at ${server} that can be seen.`,
  hint: () =>
    'Compare the name with the address of its page at the Git host. If it was renamed, remove it here and add it by its new name. A private one needs a token.',
})

export const REPOSITORY_NOT_SEEN = defineError({
  code: 'REPOSITORY_NOT_SEEN',
  status: 403,
  retry: 'never',
  message: (path: string, server: string) =>
    `${server} does not show ${path} to Fairlead, so nobody can say whether it really belongs to the organisation.`,
  hint: () =>
    'Compare the address with the one that the Git host shows now (renamed repositories have a new one), and check that the token of the organisation may read this repository.',
})

export const REPOSITORY_LEFT = defineError({
  code: 'REPOSITORY_LEFT',
  status: 403,
  // A deployment that met a mere rename is tried again once the listing has followed it.
  retry: 'later',
  message: (path: string, organisation: string) =>
    `The repository that was registered as ${path} is not in the organisation "${organisation}" any more: it was moved, deleted or made anew, or its token sees it no longer.`,
  hint: () =>
    'Nothing of it is deployed any more; what runs keeps running. When it is back it goes on by itself; otherwise register it by its new address.',
})

export const TOKEN_REFUSED = defineError({
  code: 'TOKEN_REFUSED',
  status: 403,
  retry: 'never',
  message: (server: string, status: number) =>
    `The API of ${server} refuses the token of the organisation (status ${status}).`,
  hint: () =>
    'Make a new token that may read the organisation and the contents of its repositories, and give it with "fairlead organisations set NAME --git-token-file FILE".',
})

export const HOST_QUOTA_USED = defineError({
  code: 'HOST_QUOTA_USED',
  status: 503,
  retry: 'later',
  message: (server: string) => `The API of ${server} takes no more requests for now.`,
  hint: () => 'It is asked again when it said. With a token it allows many more requests than without.',
})

export const HOST_API_FAILED = defineError({
  code: 'HOST_API_FAILED',
  status: 502,
  retry: 'later',
  message: (server: string, problem: string) => `The API of ${server} cannot be used now: ${problem}.`,
  hint: () => 'It is tried again later. Nothing is deployed that could not be checked meanwhile.',
})

export const GIT_HOST_WITHOUT_API = defineError({
  code: 'GIT_HOST_WITHOUT_API',
  status: 422,
  retry: 'never',
  message: (name: string) => `A server has to be named for an organisation at ${name}.`,
  hint: () => 'Give host or host:port of your server, such as git.example.org.',
})
