import { defineError } from '#lib/errors.ts'

const ANOTHER = 'Make another one with "fairlead hosts add" and run the command that it prints.'

/** One answer for whatever is wrong until the secret was proven, so that guessing teaches nothing. */
export const JOIN_REFUSED = defineError({
  code: 'JOIN_REFUSED',
  status: 403,
  retry: 'never',
  message: () => 'This join token is unknown here, or what came with it was not made with it.',
  hint: () => ANOTHER,
})

export const JOIN_TOKEN_SPENT = defineError({
  code: 'JOIN_TOKEN_SPENT',
  status: 403,
  retry: 'never',
  message: (id: string, how: string) => `The join token ${id} ${how}.`,
  hint: () => ANOTHER,
})

export const JOIN_TOKEN_NOT_FOR = defineError({
  code: 'JOIN_TOKEN_NOT_FOR',
  status: 403,
  retry: 'never',
  message: (id: string, isFor: string, given: string) =>
    `The join token ${id} is for ${isFor}, but ${given} asks.`,
  hint: () => 'Use it where it was made for, or make one that fits with "fairlead hosts add".',
})

export const JOIN_TOKEN_NOT_FOUND = defineError({
  code: 'JOIN_TOKEN_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `There is no join token ${id}.`,
  hint: () => 'See them with "fairlead hosts tokens".',
})

export const JOIN_TOKEN_NETWORK = defineError({
  code: 'JOIN_TOKEN_NETWORK',
  status: 422,
  retry: 'never',
  message: (given: string) => `"${given}" is neither an address nor a network.`,
  hint: () => 'Write it like 10.0.0.7, 10.0.0.0/24 or fd00::/64.',
})

export const HOST_KEY_EXISTS = defineError({
  code: 'HOST_KEY_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string, address: string) =>
    `This key is enrolled already: as "${name}" at ${address}. Two machines must not have one key.`,
  hint: name =>
    `If this machine is a copy of ${name}, remove identity.json and tls.json from its data folder and join again. If it is ${name} itself, run "fairlead hosts remove ${name}" first.`,
})

export const HOST_KEY_REVOKED = defineError({
  code: 'HOST_KEY_REVOKED',
  status: 403,
  retry: 'never',
  message: (name: string, when: string) => `The key of "${name}" was revoked on ${when} and stays revoked.`,
  hint: () =>
    'Give the machine a new key: remove identity.json and tls.json from the data folder of the agent and join again.',
})
