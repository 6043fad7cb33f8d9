import { defineError } from '#lib/errors.ts'

export const CONFIG_INVALID = defineError({
  code: 'CONFIG_INVALID',
  status: 500,
  retry: 'never',
  message: (variable: string, problem: string) => `The configuration is not valid: ${variable} ${problem}`,
  hint: () =>
    'Correct the environment of the manager and start it again; all settings are described in docs/running.md.',
})

export const UNKNOWN_WORD = defineError({
  code: 'UNKNOWN_WORD',
  status: 400,
  retry: 'never',
  message: (word: string) => `The manager does not know what to do with "${word}".`,
  hint: () => 'Start it without any word to serve, or with "identity" to print what hosts must pin.',
})

export const HTTP_ADDRESS_INVALID = defineError({
  code: 'HTTP_ADDRESS_INVALID',
  status: 422,
  retry: 'never',
  message: (problem: string) => `The address of a server to be asked is not valid: ${problem}.`,
  hint: () => 'Give it as https://host/path; credentials go into their own field.',
})

export const HTTP_ADDRESS_PRIVATE = defineError({
  code: 'HTTP_ADDRESS_PRIVATE',
  status: 422,
  retry: 'never',
  message: (host: string, address: string) =>
    `${host} is at ${address}, which is not on the public internet; the manager sends nothing there.`,
  hint: () =>
    'If the server is your own, allow its range with FAIRLEAD_ALLOW_PRIVATE (CIDR) where the manager starts.',
})

export const HTTP_NOT_ENCRYPTED = defineError({
  code: 'HTTP_NOT_ENCRYPTED',
  status: 422,
  retry: 'never',
  message: (host: string) => `The address of ${host} begins with http://, and it is on the public internet.`,
  hint: () => 'Use https://: what is sent holds credentials or names of yours.',
})

export const HTTP_UNREACHABLE = defineError({
  code: 'HTTP_UNREACHABLE',
  status: 502,
  retry: 'later',
  message: (host: string, problem: string) => `${host} cannot be reached: ${problem}.`,
  hint: () => 'Check the address, and whether the machine of the manager may connect to it.',
})

export const HTTP_ANSWER_TOO_LARGE = defineError({
  code: 'HTTP_ANSWER_TOO_LARGE',
  status: 502,
  retry: 'never',
  message: (host: string, bytes: number) => `${host} answered with more than ${bytes} bytes.`,
  hint: () => 'Check that the address is the one of an API and not of a download.',
})
