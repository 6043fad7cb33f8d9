import { defineError } from '#lib/errors.ts'

export const GATE_UNREADABLE = defineError({
  code: 'GATE_UNREADABLE',
  status: 500,
  retry: 'never',
  message: (file: string) => `The record of who may visit guarded apps cannot be read: ${file}`,
  hint: (file: string) =>
    `Put ${file} back from a backup, or move it away: then everybody opens a new link, and nothing else is lost.`,
})

export const GATE_PORT_TAKEN = defineError({
  code: 'GATE_PORT_TAKEN',
  status: 500,
  retry: 'later',
  message: (listen: string) => `The worker cannot answer the proxy's questions about visitors on ${listen}.`,
  hint: (listen: string) =>
    `Look with "ss -ltnp" which program holds ${listen}: often it is a second worker; end it or give this one another port with FAIRLEAD_GATE_PORT.`,
})
