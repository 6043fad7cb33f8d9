import { defineError } from '#lib/errors.ts'

export const CHANNEL_UNKNOWN = defineError({
  code: 'CHANNEL_UNKNOWN',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no notification channel "${name}".`,
  hint: () => 'List channels with "fairlead notifications".',
})

export const CHANNEL_EXISTS = defineError({
  code: 'CHANNEL_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already a notification channel "${name}".`,
  hint: () => 'Choose another name, or change the one that is there.',
})

export const CHANNEL_REFUSED = defineError({
  code: 'CHANNEL_REFUSED',
  status: 502,
  retry: 'never',
  message: (to: string, reason: string) => `${to} does not take the message: ${reason}.`,
  hint: () =>
    'Check address, user and password of the channel; "fairlead notifications test" tries it at once.',
})

export const CHANNEL_UNREACHED = defineError({
  code: 'CHANNEL_UNREACHED',
  status: 502,
  retry: 'later',
  message: (to: string, reason: string) => `${to} cannot be reached now: ${reason}.`,
  hint: () => 'Messages are kept for a day and tried again. Check whether this machine reaches the address.',
})

export const MAIL_NOT_ENCRYPTED = defineError({
  code: 'MAIL_NOT_ENCRYPTED',
  status: 422,
  retry: 'never',
  message: (host: string) => `The mail server ${host} is on the internet and would be spoken to in clear.`,
  hint: () => 'Use the security "starttls" or "tls".',
})
