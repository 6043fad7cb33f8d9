import { defineError } from '#lib/errors.ts'

export const PROVIDER_NOT_FOUND = defineError({
  code: 'PROVIDER_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `People do not sign in at "${name}" here.`,
  hint: () => '"fairlead providers" lists where they may.',
})

export const PROVIDER_UNREACHABLE = defineError({
  code: 'PROVIDER_UNREACHABLE',
  status: 502,
  retry: 'later',
  message: (name: string, reason: string) => `"${name}" could not be asked how one signs in there: ${reason}`,
  hint: () =>
    'Check the address of the issuer: below it there has to be /.well-known/openid-configuration. For one in a private network set FAIRLEAD_ALLOW_PRIVATE.',
})

export const PROVIDER_REFUSED = defineError({
  code: 'PROVIDER_REFUSED',
  status: 401,
  retry: 'never',
  message: (name: string, reason: string) => `Signing in at "${name}" did not work: ${reason}`,
  hint: () =>
    'Try again. If it stays so, an admin checks client id, secret and redirect address: "fairlead providers".',
})

export const PROVIDER_ACCOUNT_UNKNOWN = defineError({
  code: 'PROVIDER_ACCOUNT_UNKNOWN',
  status: 403,
  retry: 'never',
  message: (name: string, email: string, isVerified: boolean) =>
    isVerified
      ? `Nobody here has the account${email === '' ? '' : ` "${email}"`} of "${name}".`
      : `"${name}" does not say that it has verified the e-mail address${email === '' ? '' : ` "${email}"`}.`,
  hint: (_name: string, _email: string, isVerified: boolean) =>
    isVerified
      ? 'Ask an admin for an account with this e-mail address; whether it is found by that, or made by itself, is a setting of the provider (link_by_email, makes_accounts).'
      : 'Verify the address there, then sign in again.',
})

export const SIGN_IN_LOST = defineError({
  code: 'SIGN_IN_LOST',
  status: 400,
  retry: 'never',
  message: () => 'This sign-in was not begun in this browser, or more than ten minutes ago.',
  hint: () => 'Begin again on the sign-in page.',
})
