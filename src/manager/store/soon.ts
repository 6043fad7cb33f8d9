import { sql } from 'kysely'

/** What sqlite.ts finds at the end of a statement. */
export const SOON_MARK = '/* soon */'

/**
 * `.modifyEnd(SOON)`: a row of the journal that does not wait for the disk. It outlives a kill of the process, and is
 * on the disk with the next write that waits, so rows never get lost out of order. For what is found out again after
 * a loss of power; never for what was answered to somebody or what has to be there before an effect.
 */
export const SOON = sql.raw(SOON_MARK)
