import { defineError } from '#lib/errors.ts'

export const GUARDIAN_CONFIG_INVALID = defineError({
  code: 'GUARDIAN_CONFIG_INVALID',
  status: 500,
  retry: 'never',
  message: (name: string, what: string) =>
    `The configuration of the guardian cannot be used: ${name} ${what}`,
  hint: () =>
    'Correct the variable in the environment of the guardian (with systemd: /etc/fairlead/guardian.env).',
})

export const BOUNDS_INVALID = defineError({
  code: 'BOUNDS_INVALID',
  status: 500,
  retry: 'never',
  message: (file: string, what: string) => `The bounds of this host in ${file} cannot be used: ${what}`,
  hint: (file: string) =>
    `Correct ${file} (docs/firewall.md has an example) and start the guardian again. The rules that are there stay meanwhile.`,
})
