import { defineError } from '#lib/errors.ts'

export const REGISTRY_SECRET_MISSING = defineError({
  code: 'REGISTRY_SECRET_MISSING',
  status: 422,
  retry: 'never',
  message: (name: string) => `The registry's secret "${name}" has no value.`,
  hint: () => 'Run "fairlead registry up" again: it makes what is missing.',
})
