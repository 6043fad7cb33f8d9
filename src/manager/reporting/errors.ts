import { defineError } from '#lib/errors.ts'

export const REPORT_HOST_UNKNOWN = defineError({
  code: 'REPORT_HOST_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (repository: string, host: string | undefined, _known: string) =>
    host === undefined
      ? `It is not known at which kind of Git host "${repository}" is.`
      : `"${host}" takes no reports about commits.`,
  hint: (_repository, _host, known) => `Name the kind of Git host: ${known}.`,
})

export const REPORT_API_INVALID = defineError({
  code: 'REPORT_API_INVALID',
  status: 422,
  retry: 'never',
  message: (api: string) => `"${api}" is not the address of an API.`,
  hint: () =>
    'Give it as the Git host documents it, such as https://git.example.org/api/v1, without a token in it.',
})

export const REPORT_TOKEN_NEEDED = defineError({
  code: 'REPORT_TOKEN_NEEDED',
  status: 422,
  retry: 'never',
  message: (api: string) => `The token that is stored was not given for ${api}.`,
  hint: () => 'Give the token together with the new address.',
})

export const REPORT_REFUSED = defineError({
  code: 'REPORT_REFUSED',
  status: 502,
  retry: 'never',
  message: (api: string, reason: string, _token: string) => `${api} takes no report: ${reason}.`,
  hint: (_api, _reason, token) =>
    `Check the token with "fairlead repositories report" (it needs: ${token}). Deployments go on without it.`,
})

export const REPORT_NOT_ARRIVED = defineError({
  code: 'REPORT_NOT_ARRIVED',
  status: 502,
  retry: 'later',
  message: (api: string, reason: string) => `Reports do not arrive at ${api}: ${reason}.`,
  hint: () => 'Nothing is lost for a day: it is tried again. Check whether this machine reaches the address.',
})
