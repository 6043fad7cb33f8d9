import { defineError } from '#lib/errors.ts'

export const HOST_ADD_INCOMPLETE = defineError({
  code: 'HOST_ADD_INCOMPLETE',
  status: 422,
  retry: 'never',
  message: () => 'An address needs the identity of its worker, and an identity needs its address.',
  hint: () =>
    'Give both ("fairlead hosts add 10.0.0.7:7443 --identity box.json"), or neither: then a command for the new host is printed.',
})

export const ADDRESS_LIST_UNSAID = defineError({
  code: 'ADDRESS_LIST_UNSAID',
  status: 400,
  retry: 'never',
  message: () => 'A list of addresses is of a kind that is known, or is read at a URL: one of the two.',
  hint: () => 'For example "--kind github-actions", or "--url https://example.org/ranges.txt".',
})
