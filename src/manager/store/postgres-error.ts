import type { FairleadError } from '#lib/errors.ts'
import { STORE_DAMAGED, STORE_FULL, STORE_LOCKED, STORE_REFUSED, STORE_UNAVAILABLE } from './errors.ts'

/** What an error of PostgreSQL, or of the way to it, means for the person who runs the manager. */
export function postgresError(error: unknown, place: string): unknown {
  const kind = describe(error, place)
  return kind ? kind.with({ cause: error }) : error
}

/** The five characters with which PostgreSQL says what is wrong; undefined for errors of others. */
export function sqlState(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { readonly code?: unknown; readonly severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}

/** True if nothing more can be asked over this connection. */
export function endsConnection(error: unknown): boolean {
  const { severity } = (error ?? {}) as { readonly severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC'
}

function describe(error: unknown, place: string): FairleadError | undefined {
  const reason = error instanceof Error ? error.message : String(error)
  const state = sqlState(error)
  if (state === undefined) {
    return undefined
  }
  if (state === '53100') {
    return STORE_FULL()
  }
  // Locks of others, and transactions of theirs that went across ours.
  if (['55P03', '40001', '40P01'].includes(state)) {
    return STORE_LOCKED(place)
  }
  if (/^XX00[12]$/.test(state)) {
    return STORE_DAMAGED(place, reason)
  }
  // No such user or database, a wrong password, missing rights.
  if (/^(?:28|3D)/.test(state) || state === '42501') {
    return STORE_REFUSED(place, reason)
  }
  // Connections, resources, shutdowns, a standby that does not write.
  return /^(?:08|53|57|58)/.test(state) || state === '25006' ? STORE_UNAVAILABLE(reason) : undefined
}
