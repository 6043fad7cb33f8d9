import type { Kysely } from 'kysely'
import type { Message } from '#manager/notifications/message.ts'
import type { Tables } from '#manager/store/tables.ts'
import { NOBODY } from './interest.ts'
import type { OutboxDoor } from './put.ts'

/** Of a manager that nobody wants to hear from. */
export const NO_OUTBOX: OutboxDoor = { interest: () => NOBODY, wake: () => undefined }

/** Of a manager with one channel that wants to hear of problems. */
export const PROBLEM_OUTBOX: OutboxDoor = {
  interest: () => ({ ...NOBODY, channels: [{ id: 'team', events: ['problem'], apps: undefined }] }),
  wake: () => undefined,
}

/** What is in line for people, in order. */
export async function toldMessages(db: Kysely<Tables>): Promise<Message[]> {
  const rows = await db.selectFrom('outbox').select('payload').orderBy('id').execute()
  return rows.map(({ payload }) => JSON.parse(payload) as Message)
}
