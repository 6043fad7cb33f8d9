import { type Kysely, sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { selfSignedCertificate } from '#link/certificate.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { nextEpoch } from '#manager/store/epoch.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { LEADERSHIP_LOST } from './errors.ts'
import type { PeerKeys } from './peer-tls.ts'
import { PEER_SERVER_NAME } from './peer-tls.ts'
import type { PeersConfig } from './peers-config.ts'
import { leaderKeyPlace } from './sealed-places.ts'

export const RENEW_MS = 1000
/**
 * A leader that could not renew for so long leads no longer, whatever the database says. With the time until it looks
 * less than the server of the database waits for one that is cut off, so that it has ended before another one leads.
 */
export const GIVEN_UP_MS = 10_000
const DAY_MS = 24 * 3600 * 1000
/** Certificates live as long as the leader does; no leader lives that long. */
const LIFE_MS = 3650 * DAY_MS

export interface LeadParts {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

export interface Lead {
  readonly epoch: number
  /** When it began, in ms by the clock that all managers of the database share. */
  readonly since: number
  /** For the way between managers. */
  readonly keys: PeerKeys
}

/** Raises the epoch and writes down who leads, both or neither. Only who holds the lock of the database may call it. */
export async function takeLead({ db, clock, sealer }: LeadParts, peers: PeersConfig): Promise<Lead> {
  const keys = selfSignedCertificate({
    name: PEER_SERVER_NAME,
    notBefore: clock.now() - DAY_MS,
    notAfter: clock.now() + LIFE_MS,
  })
  return await inTransaction(db, async inside => {
    const epoch = await nextEpoch(inside)
    const { rows } = await sql<{ session: number; now: number }>`
      select pg_backend_pid() as session, ${NOW} as now`.execute(inside)
    const { session = 0, now = 0 } = rows[0] ?? {}
    const row = {
      epoch,
      name: peers.name,
      address: peers.address,
      session,
      certificate: keys.certificate,
      key_sealed: sealer.seal(keys.key, leaderKeyPlace(String(epoch))),
      taken_at: now,
      renewed_at: now,
    }
    await inside
      .insertInto('leader')
      .values({ id: 'leader', ...row })
      .onConflict(conflict => conflict.column('id').doUpdateSet(row))
      .execute()
    return { epoch, since: now, keys }
  })
}

/** Says each second that the leader lives. `onLost` hears, once, that it leads no longer. */
export function keepLead(
  { db, clock }: Pick<LeadParts, 'db' | 'clock'>,
  { epoch }: Pick<Lead, 'epoch'>,
  onLost: (error: FairleadError) => void,
): { close(): void } {
  let renewedAt = clock.monotonic()
  let isRenewing = false
  async function renew(): Promise<void> {
    const began = clock.monotonic()
    isRenewing = true
    try {
      const { numUpdatedRows } = await db
        .updateTable('leader')
        .set({ renewed_at: NOW })
        .where('epoch', '=', epoch)
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) {
        lose('another one has taken over')
      }
      renewedAt = began
    } catch {
      // What it means is decided by the time that passes.
    } finally {
      isRenewing = false
    }
  }
  function lose(why: string): void {
    timer.close()
    onLost(LEADERSHIP_LOST(why))
  }
  const timer = clock.every(RENEW_MS, () => {
    const silentMs = clock.monotonic() - renewedAt
    if (silentMs > GIVEN_UP_MS) {
      lose(`it could not say so to the database for ${Math.round(silentMs / 1000)} s`)
    } else if (!isRenewing) {
      void renew()
    }
  })
  return timer
}

const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
