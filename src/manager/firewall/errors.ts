import { defineError } from '#lib/errors.ts'

export const GUARDIAN_MISSING = defineError({
  code: 'GUARDIAN_MISSING',
  status: 409,
  retry: 'never',
  message: (host: string, ports: string) =>
    `${ports} is to be open on "${host}", and nobody keeps the firewall of that host.`,
  hint: (host: string) =>
    `Start a guardian on the host and assign it: "fairlead firewall guard ${host} <guardian>" (docs/firewall.md). Or leave "open" and "from" out of "ports".`,
})

export const PORT_TAKEN_BY_APP = defineError({
  code: 'PORT_TAKEN_BY_APP',
  status: 409,
  retry: 'never',
  // Not whose: apps of a host may belong to people who are not to know of each other.
  message: (ports: string, host: string) => `${ports} of "${host}" is another app's already.`,
  hint: () => 'Choose another port of the host, or remove it from the app that has it.',
})

export const NOT_A_GUARDIAN = defineError({
  code: 'NOT_A_GUARDIAN',
  status: 422,
  retry: 'never',
  message: (name: string) => `"${name}" is no guardian.`,
  hint: () => '"fairlead hosts" shows what each host is; "fairlead hosts add" enrols a guardian.',
})

export const NOT_A_WORKER = defineError({
  code: 'NOT_A_WORKER',
  status: 422,
  retry: 'never',
  message: (name: string) => `"${name}" is no worker, and has no apps that ask for ports.`,
  hint: () => '"fairlead hosts" shows what each host is.',
})

export const ADDRESS_LIST_NOT_FOUND = defineError({
  code: 'ADDRESS_LIST_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no list of addresses "${name}".`,
  hint: (name: string) =>
    `See them with "fairlead firewall lists"; make it with "fairlead firewall set-list ${name} …".`,
})

export const ADDRESS_LIST_UNUSABLE = defineError({
  code: 'ADDRESS_LIST_UNUSABLE',
  status: 422,
  retry: 'later',
  message: (name: string, why: string) => `The list of addresses "${name}" is not taken: ${why}.`,
  hint: () =>
    'Look at what is published there. Nothing was changed: where the list was read before, that holds on.',
})

export const ADDRESS_LIST_IN_USE = defineError({
  code: 'ADDRESS_LIST_IN_USE',
  status: 409,
  retry: 'never',
  message: (name: string, apps: string) => `Ports of ${apps} are open for the list "${name}".`,
  hint: (name: string) =>
    `Take "@${name}" out of their deploy files (of systems: "fairlead systems set --port") and deploy them first.`,
})

export const ADDRESSES_TOO_MANY = defineError({
  code: 'ADDRESSES_TOO_MANY',
  status: 422,
  retry: 'never',
  message: (of: {
    readonly ports: string
    readonly guardian: string
    readonly lists: string
    readonly networks: number
  }) =>
    `${of.ports} cannot be opened by "${of.guardian}" for ${of.networks} networks${
      of.lists === '' ? '' : `, most of them of ${of.lists}`
    }: with those of other apps they are more than it takes.`,
  hint: () =>
    'Each port has the addresses of all its lists. Open fewer ports for large lists, join ports that stand beside each other, or name smaller networks in "from".',
})

export const ADDRESS_LISTS_FULL = defineError({
  code: 'ADDRESS_LISTS_FULL',
  status: 409,
  retry: 'never',
  message: (most: number) => `There are ${most} lists of addresses already.`,
  hint: () => 'Remove one that is not needed: "fairlead firewall lists" says which apps use them.',
})
