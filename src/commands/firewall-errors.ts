import { defineError } from '#lib/errors.ts'

export const NO_FIREWALL = defineError({
  code: 'NO_FIREWALL',
  status: 409,
  retry: 'never',
  message: (host: string) => `"${host}" keeps no firewall.`,
  hint: () => 'Only guardians do; "fairlead hosts" shows what each host is.',
})

export const OPENING_FORBIDDEN = defineError({
  code: 'OPENING_FORBIDDEN',
  status: 403,
  retry: 'never',
  message: (what: string) => `The owner of the host does not allow it: ${what}.`,
  hint: () =>
    'Nothing was changed. Use another port or other addresses, or have the bounds file of the guardian changed on the host (docs/firewall.md).',
})

export const CHANGE_UNDONE = defineError({
  code: 'CHANGE_UNDONE',
  status: 409,
  retry: 'later',
  message: () => 'This change of the firewall was undone, because it was not confirmed in time.',
  hint: () =>
    'The rules of before hold. If it happens again, the manager does not reach the guardian any more after such a change: compare its address with the bounds file of the guardian.',
})

export const CONFIRMED_OVER_OLD_CONNECTION = defineError({
  code: 'CONFIRMED_OVER_OLD_CONNECTION',
  status: 409,
  retry: 'later',
  message: () => 'A change of the firewall is confirmed over the connection that it was told over.',
  hint: () =>
    'Connections of before go on whatever the rules are, so that shows nothing. Connect anew and confirm it then; else it is undone.',
})

export const RULES_DIFFER = defineError({
  code: 'RULES_DIFFER',
  status: 502,
  retry: 'later',
  message: (differences: string) => `The firewall took the rules and shows others: ${differences}`,
  hint: () =>
    'The change was undone. Another program on the host may write into the table "inet fairlead", or its nft is too old (1.0.6 works).',
})
