import { defineError } from '#lib/errors.ts'

export const APP_SETTING_WRONG = defineError({
  code: 'APP_SETTING_WRONG',
  status: 422,
  retry: 'never',
  message: (setting: string, why: string) => `The setting "${setting}" of this app cannot be used: ${why}.`,
  hint: (setting: string) => `Correct "${setting}" in the deploy file and push again.`,
})

export const APP_SECRET_MISSING = defineError({
  code: 'APP_SECRET_MISSING',
  status: 422,
  retry: 'never',
  message: (name: string, where: string) => `"${where}" wants the secret "${name}", which has no value.`,
  hint: (name: string) =>
    `Set it with "fairlead secrets set ${name}", then deploy again. A text that begins with a dollar sign is written with two.`,
})

export const NOTEBOOK_OVER_LIMIT = defineError({
  code: 'NOTEBOOK_OVER_LIMIT',
  status: 422,
  retry: 'never',
  message: (setting: string, asked: string, most: string) =>
    `The notebook project asks for "${setting}: ${asked}", and the most is ${most}.`,
  hint: (setting: string, _asked: string, most: string) =>
    `Write at most ${most} for "${setting}" in nb.yaml, or in the deploy file where it is said there, and push again. The administrator raises it with "limits" in the file of FAIRLEAD_NOTEBOOKS_FILE.`,
})
