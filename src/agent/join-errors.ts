import { defineError } from '#lib/errors.ts'

export const JOIN_MANAGER_UNREACHABLE = defineError({
  code: 'JOIN_MANAGER_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (url: string, why: string) => `The manager at ${url} did not answer: ${why}`,
  hint: () =>
    'Check the address behind --manager and whether a firewall lies between. The token was not used; run the same command again.',
})

export const JOIN_MANAGER_INVALID = defineError({
  code: 'JOIN_MANAGER_INVALID',
  status: 422,
  retry: 'never',
  message: (text: string) => `"${text}" is not the address of a manager.`,
  hint: () => 'Give it like https://fairlead.example.org, as "fairlead hosts add" printed it.',
})

export const JOIN_ADDRESS_INVALID = defineError({
  code: 'JOIN_ADDRESS_INVALID',
  status: 422,
  retry: 'never',
  message: (text: string) => `"${text}" is not host:port.`,
  hint: () => 'Give the address at which the manager reaches this agent, for example 10.0.0.7:7443.',
})

export const JOIN_NOT_REACHABLE = defineError({
  code: 'JOIN_NOT_REACHABLE',
  status: 422,
  retry: 'never',
  message: (address: string, _variable: string) =>
    `The agent would listen on ${address}, where only this machine reaches it; the manager is elsewhere.`,
  hint: (_address, variable) =>
    `Set ${variable}=0.0.0.0:<port> for the agent, or name the address that the manager is to dial with --address. The token was not used.`,
})

export const JOIN_NOT_PROVEN = defineError({
  code: 'JOIN_NOT_PROVEN',
  status: 502,
  retry: 'never',
  message: (url: string, why: string) =>
    `What answered at ${url} is not the manager that made the token: ${why}. Nothing was pinned.`,
  hint: () =>
    'Something between here and the manager answers in its place, or the address is wrong. Revoke the token ("fairlead hosts tokens") and look before you make another.',
})
