import { defineError } from '#lib/errors.ts'

export const LINKS_BRANCH_REFUSED = defineError({
  code: 'LINKS_BRANCH_REFUSED',
  status: 422,
  retry: 'never',
  message: (branch: string) => `Links of notebooks are not written to the branch "${branch}".`,
  hint: () =>
    'In notebooks.yaml leave "urlmd.branch" out, so that they stand in the branch that is deployed, or name one that begins with "nb-", such as nb-links.',
})

export const LINKS_SETTINGS_WRONG = defineError({
  code: 'LINKS_SETTINGS_WRONG',
  status: 422,
  retry: 'never',
  message: (what: string) => `No links of notebooks are written: notebooks.yaml is wrong: ${what}`,
  hint: () => 'Mend it; "fairlead check" shows the line.',
})

export const PREVIEW_IMPOSSIBLE = defineError({
  code: 'PREVIEW_IMPOSSIBLE',
  status: 422,
  retry: 'never',
  message: (why: string) => `The notebook cannot be shown as a page: ${why}.`,
  hint: () => 'Clear its outputs, or open the live notebook.',
})
