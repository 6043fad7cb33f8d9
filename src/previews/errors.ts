import { defineError } from '#lib/errors.ts'

export const NOTEBOOK_BROKEN = defineError({
  code: 'NOTEBOOK_BROKEN',
  status: 422,
  retry: 'never',
  message: (why: string) => `The notebook cannot be shown: ${why}.`,
  hint: () =>
    'Open it in Jupyter and save it again. The marks of a merge conflict must be taken out with a text editor.',
})
