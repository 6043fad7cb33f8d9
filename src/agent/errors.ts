import { defineError } from '#lib/errors.ts'

export const ALREADY_RUNNING = defineError({
  code: 'ALREADY_RUNNING',
  status: 409,
  retry: 'never',
  message: (file: string) => `Another process uses the journal ${file}.`,
  hint: () =>
    'Only one agent may use a data folder: stop the other one, or give this one a folder of its own.',
})

export const JOURNAL_DAMAGED = defineError({
  code: 'JOURNAL_DAMAGED',
  status: 500,
  retry: 'never',
  message: (file: string, why: string) => `The journal ${file} cannot be used: ${why}`,
  hint: (file: string) =>
    `Move ${file} (and its -wal file) away and start again; the manager then looks at what runs on this host.`,
})

export const JOURNAL_UNWRITABLE = defineError({
  code: 'JOURNAL_UNWRITABLE',
  status: 503,
  retry: 'later',
  message: (file: string, why: string) => `The journal ${file} cannot be written now: ${why}.`,
  hint: (file: string) =>
    `Keep ${file}: it knows which commands were done. Let its disk be mounted for writing (kernel log, "mount") and its folder be writable for the agent's user; then start the agent if it has ended.`,
})

export const ADDRESS_UNUSABLE = defineError({
  code: 'ADDRESS_UNUSABLE',
  status: 500,
  retry: 'later',
  message: (address: string, why: string) => `The agent cannot listen on ${address} (${why}).`,
  hint: (address: string) =>
    `Look with "ss -ltnp" which program holds ${address}: often it is a second agent; end it or use another port.`,
})

export const FORBIDDEN_COMMAND = defineError({
  code: 'FORBIDDEN_COMMAND',
  status: 403,
  retry: 'never',
  message: (command: string, role: string) => `A ${role} does not do ${command}.`,
  hint: () => 'Tell it to the agent of the other role on that host.',
})

export const BAD_PARAMS = defineError({
  code: 'BAD_PARAMS',
  status: 422,
  retry: 'never',
  message: (what: string, first: string) => `${what} got data that does not fit: ${first}`,
  hint: () => 'Manager and agent disagree about this command: bring both to the same release.',
})

export const COMMAND_CONFLICT = defineError({
  code: 'COMMAND_CONFLICT',
  status: 409,
  retry: 'never',
  message: (id: string) => `The id ${id} stands for another command already.`,
  hint: () => 'Give every command an id of its own; repeat an id only with the same command and data.',
})

export const BAD_RESULT = defineError({
  code: 'BAD_RESULT',
  status: 500,
  retry: 'never',
  message: (what: string, first: string) => `${what} ended with a result that does not fit: ${first}`,
  hint: () =>
    'This is a defect of Fairlead. The command had its effect: look at the host, and report the defect.',
})

export const AGENT_BUSY = defineError({
  code: 'AGENT_BUSY',
  status: 429,
  retry: { afterSeconds: 5 },
  message: (limit: number) => `This agent is at work on ${limit} commands already.`,
  hint: () => 'Wait until some of them have ended.',
})

export const AGENT_STOPPING = defineError({
  code: 'AGENT_STOPPING',
  status: 503,
  retry: 'later',
  message: () => 'This agent is stopping.',
  hint: () => 'Try again when it has started again.',
})

export const NOT_PROVEN = defineError({
  code: 'NOT_PROVEN',
  status: 401,
  retry: 'never',
  message: () => 'not proven',
  hint: () =>
    'Pin the public identity of this manager on the agent ("worker trust <file>") and the other way round.',
})

export const MANAGER_CONNECTED = defineError({
  code: 'MANAGER_CONNECTED',
  status: 409,
  retry: 'later',
  message: (epoch: number) => `A manager with epoch ${epoch} is connected; an agent serves one at a time.`,
  hint: () => 'Stop the other manager, or start this one with a higher epoch to take over.',
})

export const STALE_EPOCH = defineError({
  code: 'STALE_EPOCH',
  status: 409,
  retry: 'never',
  message: (epoch: number, seen: number) => `Epoch ${epoch} is stale: epoch ${seen} was served before.`,
  hint: (_epoch: number, seen: number) =>
    `If this manager was restored from a backup, raise its epoch above ${seen}; otherwise another manager took over.`,
})

export const UNKNOWN_WORD = defineError({
  code: 'UNKNOWN_WORD',
  status: 400,
  retry: 'never',
  message: (role: string, word: string) => `The ${role} does not know "${word}".`,
  hint: () => 'Say "init", "join <token> <manager>", "trust <file>", "revoke <keyId>", or nothing to serve.',
})

export const UNREADABLE_IDENTITY_FILE = defineError({
  code: 'UNREADABLE_IDENTITY_FILE',
  status: 400,
  retry: 'never',
  message: (file: string, why: string) => `The file ${file} holds no public identity: ${why}`,
  hint: () => 'Give the path of the JSON file that the manager printed.',
})
