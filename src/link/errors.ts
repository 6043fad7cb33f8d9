import { defineError } from '#lib/errors.ts'

export const BAD_FRAME = defineError({
  code: 'BAD_FRAME',
  status: 400,
  retry: 'never',
  message: (what: string, first: string) => `${what} is not a valid frame: ${first}`,
  hint: () =>
    'Both sides must speak the same protocol version; update the older one (docs/protocol.md lists every frame).',
})

export const NO_PINS = defineError({
  code: 'NO_PINS',
  status: 500,
  retry: 'never',
  message: () => 'There is no pinned certificate, so nobody could be told from a stranger.',
  hint: () => 'Pin the other side first, on an agent with "worker trust <file>".',
})

export const PINS_MISSING = defineError({
  code: 'PINS_MISSING',
  status: 500,
  retry: 'never',
  message: (file: string) => `The file of pinned peers ${file} does not exist.`,
  hint: () => 'Pin the manager: "worker trust <file>" with the public identity that the manager printed.',
})

export const PINS_EMPTY = defineError({
  code: 'PINS_EMPTY',
  status: 500,
  retry: 'never',
  message: (file: string) => `The file of pinned peers ${file} names no peer.`,
  hint: () => 'Pin the manager: "worker trust <file>" with the public identity that the manager printed.',
})

export const PINS_DAMAGED = defineError({
  code: 'PINS_DAMAGED',
  status: 500,
  retry: 'never',
  message: (file: string, why: string) => `The file of pinned peers ${file} cannot be used: ${why}`,
  hint: (file: string) =>
    `Restore it from a backup, or remove ${file} and pin the manager again with "worker trust <file>".`,
})

export const PEER_REVOKED = defineError({
  code: 'PEER_REVOKED',
  status: 403,
  retry: 'never',
  message: (keyId: string) => `The identity ${keyId} was revoked here and stays revoked.`,
  hint: () =>
    'Give the peer a new identity (remove its identity.json and tls.json, run "init") and pin that one.',
})

export const BAD_PUBLIC_IDENTITY = defineError({
  code: 'BAD_PUBLIC_IDENTITY',
  status: 422,
  retry: 'never',
  message: (what: string, why: string) => `${what} is not a public identity: ${why}`,
  hint: () => 'Use the JSON that "init" prints on the other side, unchanged.',
})

export const IDENTITY_MISSING = defineError({
  code: 'IDENTITY_MISSING',
  status: 500,
  retry: 'never',
  message: (file: string) => `There is no identity in ${file}.`,
  hint: () => 'Make one with "init", then pin its public identity on the other side.',
})

export const IDENTITY_DAMAGED = defineError({
  code: 'IDENTITY_DAMAGED',
  status: 500,
  retry: 'never',
  message: (file: string, why: string) => `The identity in ${file} cannot be used: ${why}`,
  hint: (file: string) =>
    `Restore ${file} from a backup with mode 0600, or remove it and enrol this part again under a new identity.`,
})

export const VERSION_UNSUPPORTED = defineError({
  code: 'VERSION_UNSUPPORTED',
  status: 426,
  retry: 'never',
  message: (asked: string, supported: string) =>
    `Protocol version ${asked} is not spoken here, only ${supported}.`,
  hint: () => 'Update the older of manager and agent.',
})

export const UNKNOWN_COMMAND_ID = defineError({
  code: 'UNKNOWN_COMMAND_ID',
  status: 404,
  retry: 'never',
  message: (id: string) => `The agent's journal has no command ${id}.`,
  hint: () => 'Look at what runs on the host before the step is tried again.',
})

export const COMMAND_INTERRUPTED = defineError({
  code: 'COMMAND_INTERRUPTED',
  status: 503,
  retry: 'later',
  message: (name: string) =>
    `${name} was at work when its agent stopped; whether it had its effect is not known.`,
  hint: () => 'Look at what runs on the host, then try the step again; Fairlead does so by itself.',
})

export const COMMAND_CANCELLED = defineError({
  code: 'COMMAND_CANCELLED',
  status: 409,
  retry: 'never',
  message: (name: string) => `${name} was cancelled.`,
  hint: () => 'Start the deployment again when it is wanted after all.',
})

export const COMMAND_TIMED_OUT = defineError({
  code: 'COMMAND_TIMED_OUT',
  status: 504,
  retry: 'later',
  message: (name: string, seconds: number) => `${name} did not end within ${seconds} s.`,
  hint: () => 'Read the log of the step for what it waited for; raise the deadline if the work needs longer.',
})

export const JOIN_TOKEN_INVALID = defineError({
  code: 'JOIN_TOKEN_INVALID',
  status: 422,
  retry: 'never',
  message: () => 'The text is not a join token (FLD1.….….…).',
  hint: () => 'Copy the whole command that "fairlead hosts add" printed, or make a new one.',
})

export const IDENTITY_CHANGING = defineError({
  code: 'IDENTITY_CHANGING',
  status: 409,
  retry: 'later',
  message: (folder: string) => `The key in ${folder} was changed before, and not every host has learnt that.`,
  hint: () =>
    'Hosts learn it when they are connected: "fairlead hosts list" shows who is away. Bring these back, or remove them and start the manager again.',
})
