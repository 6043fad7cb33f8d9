import { defineError } from '#lib/errors.ts'

export const PAYLOAD_NOT_UNDERSTOOD = defineError({
  code: 'PAYLOAD_NOT_UNDERSTOOD',
  status: 422,
  retry: 'never',
  message: (what: string, first: string) => `${what} is not worded as expected: ${first}`,
  hint: () => 'Use the standard payload of the Git host (content type application/json, no custom template).',
})

export const API_NOT_UNDERSTOOD = defineError({
  code: 'API_NOT_UNDERSTOOD',
  status: 502,
  retry: 'later',
  message: (what: string, first: string) =>
    `${what} that the API of the Git host gave is not worded as expected: ${first}`,
  hint: () => 'Check that the organisation names the right kind of Git host and its own server.',
})
