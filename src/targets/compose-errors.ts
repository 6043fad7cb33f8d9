import { defineError } from '#lib/errors.ts'

export const COMPOSE_SECRET_MISSING = defineError({
  code: 'COMPOSE_SECRET_MISSING',
  status: 422,
  retry: 'never',
  message: (name: string, where: string) => `"${where}" wants the secret "${name}", which has no value.`,
  hint: (name: string) =>
    `Set it with "fairlead secrets set ${name}", then deploy again. A text that begins with a dollar sign is written with two.`,
})

export const COMPOSE_SETTINGS_WRONG = defineError({
  code: 'COMPOSE_SETTINGS_WRONG',
  status: 422,
  retry: 'never',
  message: (setting: string, why: string) => `The setting "${setting}" of this app cannot be used: ${why}.`,
  hint: (setting: string) => `Correct "${setting}" in the deploy file and push again.`,
})
