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
