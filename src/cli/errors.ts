import { defineError } from '#lib/errors.ts'

export const MANAGER_UNREACHABLE = defineError({
  code: 'MANAGER_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (url: string, reason: string) => `No manager answers at ${url}: ${reason}`,
  hint: () => 'Start one with "fairlead up", or name yours with --manager URL or FAIRLEAD_MANAGER.',
})

export const NO_TOKEN = defineError({
  code: 'NO_TOKEN',
  status: 401,
  retry: 'never',
  message: (url: string) => `No token is known for ${url}.`,
  hint: () => 'Give it with --token-file FILE or FAIRLEAD_TOKEN; the manager shows the first token at its first start.',
})

export const DEPLOYMENT_NOT_SUCCEEDED = defineError({
  code: 'DEPLOYMENT_NOT_SUCCEEDED',
  status: 409,
  retry: 'never',
  message: (app: string, state: string, reason: string) => `The deployment of ${app} ended ${state}${reason}`,
  hint: () => 'The whole log: "fairlead logs DEPLOYMENT".',
})

export const PART_DID_NOT_START = defineError({
  code: 'PART_DID_NOT_START',
  status: 500,
  retry: 'never',
  message: (part: string, tail: string) => `The ${part} did not start.${tail === '' ? '' : `\n${tail}`}`,
  hint: part => `Its whole log is in the data folder (${part}.log).`,
})

export const NO_APP_NAMED = defineError({
  code: 'NO_APP_NAMED',
  status: 422,
  retry: 'never',
  message: (names: string) => `Which app? There are: ${names || 'none yet'}.`,
  hint: () => 'Name one, as in "fairlead deploy shop". Register a repository first if there is none.',
})
