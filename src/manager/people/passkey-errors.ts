import { defineError } from '#lib/errors.ts'

export const PASSKEYS_NEED_A_NAME = defineError({
  code: 'PASSKEYS_NEED_A_NAME',
  status: 409,
  retry: 'never',
  message: (address: string) =>
    `Passkeys belong to a host name, and people reach this manager at ${address}.`,
  hint: () => 'Give it a name and HTTPS, and set FAIRLEAD_PUBLIC_URL; http://localhost does too.',
})

export const PASSKEY_LOST = defineError({
  code: 'PASSKEY_LOST',
  status: 400,
  retry: 'never',
  message: () => 'Nothing was begun here that this passkey answers.',
  hint: () => 'Begin again: there are five minutes, and each answer counts once.',
})

export const PASSKEY_REFUSED = defineError({
  code: 'PASSKEY_REFUSED',
  status: 401,
  retry: 'never',
  message: () => 'This passkey opens nothing here.',
  hint: () =>
    'Use another one, or sign in with your password; passkeys that count are listed in your account.',
})

export const PASSKEY_NOT_FOUND = defineError({
  code: 'PASSKEY_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: () => 'You have no such passkey.',
  hint: () => 'Your account lists those that you have.',
})

export const TOO_MANY_PASSKEYS = defineError({
  code: 'TOO_MANY_PASSKEYS',
  status: 409,
  retry: 'never',
  message: (most: number) => `You have ${most} passkeys already.`,
  hint: () => 'Remove one that you do not use.',
})
