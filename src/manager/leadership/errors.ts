import { defineError } from '#lib/errors.ts'

export const LEADERSHIP_LOST = defineError({
  code: 'LEADERSHIP_LOST',
  status: 503,
  retry: 'later',
  message: (why: string) => `This manager leads no longer: ${why}.`,
  hint: () =>
    'Nothing has to be done: it ends, its supervisor starts it again, and it stands by while another manager leads. If this comes again and again, look at the database server and the way to it.',
})

export const LEADER_MISSING = defineError({
  code: 'LEADER_MISSING',
  status: 503,
  retry: { afterSeconds: 2 },
  message: (why: string) => `No manager leads now: ${why}.`,
  hint: () =>
    'Ask again in a few seconds: one of the managers on the database takes over. If none does, see that the database server can be reached, and what "manager.standby" in their logs says.',
})

export const LEADER_UNREACHABLE = defineError({
  code: 'LEADER_UNREACHABLE',
  status: 503,
  retry: { afterSeconds: 2 },
  message: (name: string, address: string, problem: string) =>
    `The manager that leads, ${name} at ${address}, cannot be reached from here: ${problem}.`,
  hint: () =>
    'Ask again in a few seconds. If it stays so, open the address of FAIRLEAD_PEER_LISTEN between the machines of the managers, or correct FAIRLEAD_PEER_ADDRESS of the leader.',
})

export const PEER_KEYS_MISSING = defineError({
  code: 'PEER_KEYS_MISSING',
  status: 500,
  retry: 'never',
  message: (file: string) => `This manager has not the keys of the others on its database: ${file}.`,
  hint: () =>
    'On the machine of another manager: "fairlead manager export keys.age". Bring the file here and take it in: "fairlead manager import keys.age" (docs/database.md).',
})
