import { defineError } from '#lib/errors.ts'
import { STACK_NAME } from '#lib/stack-name.ts'

export const CALL_NOT_SIGNED = defineError({
  code: 'NOT_AUTHORISED',
  status: 401,
  retry: 'never',
  message: () => 'The call is not signed with the secret of this manager.',
  hint: () =>
    'X-Signature is hex(HMAC-SHA256(secret, body)), with an empty body over the name of the stack: docs/deployer.md. The log of the manager says what was wrong.',
})

export const STACK_MISMATCH = defineError({
  code: 'STACK_MISMATCH',
  status: 400,
  retry: 'never',
  message: (stack: string) => `The body does not name the stack "${stack}" of the address.`,
  hint: (stack: string) => `Send {"stack":"${stack}"}, or no body and sign the name.`,
})

export const STACK_NAME_INVALID = defineError({
  code: 'STACK_NAME_INVALID',
  status: 422,
  retry: 'never',
  message: () => `The name of the stack is not of the form ${STACK_NAME}.`,
  hint: () => 'Rename its folder: Compose itself only knows such names of projects.',
})

export const STACK_PAUSED = defineError({
  code: 'STACK_PAUSED',
  status: 409,
  retry: 'never',
  message: (app: string) =>
    `The app "${app}" is paused: nothing of it starts before a person has run "fairlead apps resume ${app}".`,
  hint: app => `"fairlead apps show ${app}" says why. What runs keeps running.`,
})

export const STACK_ON_SEVERAL_HOSTS = defineError({
  code: 'STACK_ON_SEVERAL_HOSTS',
  status: 500,
  retry: 'never',
  message: (stack: string, hosts: readonly string[]) =>
    `Several hosts have a stack "${stack}": ${hosts.join(', ')}.`,
  hint: () => 'Rename the folder on all of them but one: the call names no host.',
})
