import type { FairleadError } from '#lib/errors.ts'
import { COMMAND_CANCELLED, COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Ending } from './journal.ts'

/** How a command ended that ended with this error. */
export function endStateOf(error: FairleadError): Exclude<Ending['state'], 'succeeded'> {
  if (COMMAND_CANCELLED.matches(error)) {
    return 'cancelled'
  }
  return COMMAND_INTERRUPTED.matches(error) ? 'interrupted' : 'failed'
}
