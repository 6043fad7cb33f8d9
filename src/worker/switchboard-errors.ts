import { defineError } from '#lib/errors.ts'

export const SWITCHBOARD_UNREADABLE = defineError({
  code: 'SWITCHBOARD_UNREADABLE',
  status: 500,
  retry: 'never',
  message: (file: string) => `The record of which container serves which app cannot be read: ${file}`,
  hint: (file: string) =>
    `Put ${file} back from a backup, or move it away and deploy each app of this host again; until then the proxy goes on with the addresses it knows.`,
})

export const SWITCHBOARD_PORT_TAKEN = defineError({
  code: 'SWITCHBOARD_PORT_TAKEN',
  status: 500,
  retry: 'later',
  message: (listen: string) => `The worker cannot answer the proxy's DNS questions on ${listen}.`,
  hint: (listen: string) =>
    `Look with "ss -lunp" which program holds ${listen}: often it is a second worker; end it or give this one another port.`,
})

export const SUBNET_UNUSABLE = defineError({
  code: 'SUBNET_UNUSABLE',
  status: 422,
  retry: 'never',
  message: (subnet: string) => `"${subnet}" is no IPv4 subnet with room for containers.`,
  hint: () => 'Give the network of routed containers a subnet between /8 and /26, for example 172.30.0.0/16.',
})

export const SUBNET_FULL = defineError({
  code: 'SUBNET_FULL',
  status: 507,
  retry: 'never',
  message: (subnet: string, names: number) =>
    `The subnet ${subnet} has no address left: ${names} routed apps and services hold two each.`,
  hint: () => 'Remove apps that are not needed, or give this host a larger subnet.',
})

export const PORTS_FULL = defineError({
  code: 'PORTS_FULL',
  status: 507,
  retry: 'never',
  message: (engine: string, from: number, to: number) =>
    `The engine "${engine}" has no two ports from ${from} to ${to} left: each app with a port holds two.`,
  hint: () => 'Remove apps that are not needed, or give the engine more ports with "publish.ports".',
})
