import { defineError } from '#lib/errors.ts'

export const RELEASE_INCOMPLETE = defineError({
  code: 'RELEASE_INCOMPLETE',
  status: 409,
  retry: 'never',
  message: (app: string, commit: string) =>
    `This release of "${app}" (commit ${commit.slice(0, 12)}) was made by a version that did not keep all that it needs.`,
  hint: (app: string, commit: string) =>
    `Make it anew from its commit: "fairlead deploy ${app} --commit ${commit}".`,
})
