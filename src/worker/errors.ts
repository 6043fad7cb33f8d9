import { defineError } from '#lib/errors.ts'

export const WORKER_CONFIG_INVALID = defineError({
  code: 'WORKER_CONFIG_INVALID',
  status: 500,
  retry: 'never',
  message: (name: string, what: string) => `The configuration of the worker cannot be used: ${name} ${what}`,
  hint: () =>
    'Correct the variable in the environment of the worker (with systemd: /etc/fairlead/worker.env).',
})

export const POLICY_INVALID = defineError({
  code: 'POLICY_INVALID',
  status: 500,
  retry: 'never',
  message: (file: string, what: string) => `The policy of this host in ${file} cannot be used: ${what}`,
  hint: (file: string) => `Correct ${file}, or remove it to go back to the default policy.`,
})

export const ENGINES_INVALID = defineError({
  code: 'ENGINES_INVALID',
  status: 500,
  retry: 'never',
  message: (file: string, what: string) => `The engines of this host cannot be used: ${file}: ${what}.`,
  hint: () =>
    'Correct it and start the worker again; docs/engines.md has an example. What runs on other engines goes on meanwhile.',
})
