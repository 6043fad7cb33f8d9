import { NOBODY } from './interest.ts'
import type { OutboxDoor } from './put.ts'

/** Of a manager that nobody wants to hear from. */
export const NO_OUTBOX: OutboxDoor = { interest: () => NOBODY, wake: () => undefined }
