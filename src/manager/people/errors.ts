import { defineError } from '#lib/errors.ts'

export const SIGN_IN_REFUSED = defineError({
  code: 'SIGN_IN_REFUSED',
  status: 401,
  retry: 'never',
  message: () => 'E-mail address and password do not fit.',
  hint: () => 'Check both. An admin can let you choose a new password: "fairlead people invite <e-mail>".',
})

export const TOO_MANY_SIGN_INS = defineError({
  code: 'TOO_MANY_SIGN_INS',
  status: 429,
  retry: { afterSeconds: 60 },
  message: () => 'There were too many failed attempts to sign in.',
  hint: () => 'Wait a minute and try again; for one account it can take a quarter of an hour.',
})

export const FIRST_START_OVER = defineError({
  code: 'FIRST_START_OVER',
  status: 404,
  retry: 'never',
  message: () => 'This manager has its first account already.',
  hint: () => 'Sign in, or ask an admin for an account ("fairlead people add").',
})

export const FIRST_CODE_WRONG = defineError({
  code: 'FIRST_CODE_WRONG',
  status: 401,
  retry: 'never',
  message: () => 'This code does not open the first account.',
  hint: () =>
    'A code holds for ten minutes. "fairlead people first" on the machine of the manager prints a fresh one, and so does a restart.',
})

export const SESSION_NOT_FOUND = defineError({
  code: 'SESSION_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `You have no session ${id}.`,
  hint: () => 'It may have ended already; GET /api/v1/me/sessions lists those that are open.',
})

export const PASSWORD_WRONG = defineError({
  code: 'PASSWORD_WRONG',
  status: 403,
  retry: 'never',
  message: () => 'The present password is another one.',
  hint: () => 'Type in the password with which you sign in.',
})

export const FOR_PEOPLE_ONLY = defineError({
  code: 'FOR_PEOPLE_ONLY',
  status: 403,
  retry: 'never',
  message: () => 'Only a person who has signed in may do this; a token may not.',
  hint: () => 'Sign in with a browser, or with "fairlead login".',
})

export const ROLE_MISSING = defineError({
  code: 'ROLE_MISSING',
  status: 403,
  retry: 'never',
  message: (needs: string, has: string | null) =>
    `This needs the role ${needs} here; ${has === null ? 'there is none' : `there is ${has}`}.`,
  hint: () =>
    'An admin gives roles: "fairlead people set" everywhere, "fairlead projects member" in a project.',
})

export const SCOPE_MISSING = defineError({
  code: 'SCOPE_MISSING',
  status: 403,
  retry: 'never',
  message: (scope: string) => `The scopes of this token do not include "${scope}".`,
  hint: (scope: string) => `Make a token that has it: "fairlead tokens add <name> --scope ${scope}".`,
})

export const PROJECT_NOT_FOUND = defineError({
  code: 'PROJECT_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no project "${name}".`,
  hint: () => '"fairlead projects" lists those that you see.',
})

export const PROJECT_EXISTS = defineError({
  code: 'PROJECT_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already a project "${name}".`,
  hint: () => 'Choose another name.',
})

export const PERSON_NOT_FOUND = defineError({
  code: 'PERSON_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (who: string) => `Nobody has the account "${who}".`,
  hint: () => '"fairlead people" lists everybody.',
})

export const PERSON_EXISTS = defineError({
  code: 'PERSON_EXISTS',
  status: 409,
  retry: 'never',
  message: (email: string) => `"${email}" has an account already.`,
  hint: () => 'To let them choose a new password: "fairlead people invite <e-mail>".',
})

export const LAST_ADMIN = defineError({
  code: 'LAST_ADMIN',
  status: 409,
  retry: 'never',
  message: () => 'This is the only account of an admin.',
  hint: () => 'Give somebody else the role first: "fairlead people set <e-mail> --role admin".',
})

export const INVITATION_WRONG = defineError({
  code: 'INVITATION_WRONG',
  status: 401,
  retry: 'never',
  message: () => 'This code does not open an account.',
  hint: () =>
    'Codes hold for three days and work once. An admin can give another: "fairlead people invite <e-mail>".',
})

export const TOKEN_NOT_FOUND = defineError({
  code: 'TOKEN_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `There is no token ${id}.`,
  hint: () => '"fairlead tokens" lists those that you see.',
})

export const TOKEN_NEEDS_END = defineError({
  code: 'TOKEN_NEEDS_END',
  status: 422,
  retry: 'never',
  message: () => 'The token of a person has to end.',
  hint: () => 'Say after how many days, at most 366; an admin can make one of a machine that does not end.',
})

export const FACTOR_WRONG = defineError({
  code: 'FACTOR_WRONG',
  status: 403,
  retry: 'never',
  message: () => 'This code is not valid, or was used already.',
  hint: () =>
    'Type in the present code of your authenticator, or one of your recovery codes. The clock of the device has to be right.',
})

export const FACTOR_NOT_BEGUN = defineError({
  code: 'FACTOR_NOT_BEGUN',
  status: 409,
  retry: 'never',
  message: () => 'There is no second factor that waits for its first code.',
  hint: () => 'Begin with POST /api/v1/me/two-factor.',
})

export const FACTOR_EXISTS = defineError({
  code: 'FACTOR_EXISTS',
  status: 409,
  retry: 'never',
  message: () => 'You have a second factor already.',
  hint: () =>
    'Turn it off first, with a code of it. Who has lost it asks an admin: "fairlead people reset-factor <e-mail>".',
})

export const FACTOR_MISSING = defineError({
  code: 'FACTOR_MISSING',
  status: 409,
  retry: 'never',
  message: () => 'There is no second factor.',
  hint: () => 'Nothing to do: signing in needs the password alone.',
})

export const FACTOR_REQUIRED = defineError({
  code: 'FACTOR_REQUIRED',
  status: 403,
  retry: 'never',
  message: () => 'Here your role needs a second factor, and this account has none yet.',
  hint: () => 'Open "My account" (/account) and turn it on; everything else is open from then on.',
})

export const SESSION_TOO_OLD = defineError({
  code: 'SESSION_TOO_OLD',
  status: 403,
  retry: 'never',
  message: () => 'You have to have signed in within the last quarter of an hour for this.',
  hint: () => 'Sign out, sign in again and repeat it.',
})

export const APPS_OVER_QUOTA = defineError({
  code: 'APPS_OVER_QUOTA',
  status: 403,
  retry: 'never',
  message: (most: number) => `You have as many apps as you may: ${most}.`,
  hint: () =>
    'Remove one that is not needed, or ask an admin for more: "fairlead people set <e-mail> --most-apps <number>".',
})
