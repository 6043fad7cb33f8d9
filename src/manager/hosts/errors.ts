import { defineError } from '#lib/errors.ts'

export const HOST_EXISTS = defineError({
  code: 'HOST_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string) => `There is already a host "${name}".`,
  hint: (name: string) => `To replace it, remove it first with "fairlead hosts remove ${name}".`,
})

export const HOST_IN_USE = defineError({
  code: 'HOST_IN_USE',
  status: 409,
  retry: 'never',
  message: (name: string, users: readonly string[]) => `The host "${name}" is used by: ${users.join(', ')}.`,
  hint: () =>
    'Remove these apps, repositories and organisations first, or have them forgotten if the host will not come back. Give hosts that it guards another guardian.',
})

export const HOST_BUSY = defineError({
  code: 'HOST_BUSY',
  status: 409,
  retry: 'later',
  message: (name: string, atWork: number) =>
    `${atWork} deployments are at work on "${name}": what they need cannot be told from what nobody needs.`,
  hint: () =>
    'Try again when they have ended; "fairlead status" shows them. A dry run is possible at any time.',
})

export const NOT_A_HOST = defineError({
  code: 'NOT_A_HOST',
  status: 422,
  retry: 'never',
  message: (name: string) => `"${name}" is the identity of a manager, not of a host.`,
  hint: () => 'Give what the worker printed: it says role "worker".',
})
