import type { Kysely } from 'kysely'
import type { Logger } from '#lib/logger.ts'
import type { ChangedIdentity } from '#link/changed-identity.ts'
import { type Identity, publicIdentity } from '#link/identity.ts'
import { proveSuccession, type Successor } from '#link/succession.ts'
import type { Tables } from '#manager/store/tables.ts'

interface Parts extends ChangedIdentity {
  readonly db: Kysely<Tables>
  readonly logger: Logger
  /** Removes the key before the present one, for good. */
  readonly forget: () => void
}

/** What a connection to a host has to know of a change of the manager's own key. */
export interface HostKey {
  /** Keys to try, the one first that the host should know. */
  readonly known: () => readonly Identity[]
  /** What makes a host that knows the earlier key only accept the present one. */
  readonly successor: () => Successor
  /** The host has pinned the present key, or let somebody in by it. */
  readonly learnt: () => Promise<void>
}

/**
 * The manager's key while it changes: hosts learn the present one each for itself, those that are away whenever they are
 * back. With the last of them the one before is forgotten.
 */
export class ChangedKey {
  readonly #parts: Parts
  #earlier: Identity | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#earlier = parts.earlier
  }

  /** Undefined: there is nothing to change. */
  of(host: { readonly name: string; readonly manager_key: string | null }): HostKey | undefined {
    const { present } = this.#parts
    const earlier = this.#earlier
    if (!earlier) {
      return undefined
    }
    let isLearnt = host.manager_key === present.keyId
    let isNoted = false
    return {
      known: () => (!this.#earlier ? [present] : isLearnt ? [present, earlier] : [earlier, present]),
      successor: () => proveSuccession(earlier, present, publicIdentity(present)),
      learnt: async () => {
        if (!isNoted) {
          await this.#note(host.name)
          isLearnt = true
          isNoted = true
        }
      },
    }
  }

  /** Forgets the earlier key when nobody needs it; at the start too, because hosts may have been removed. */
  async settle(): Promise<void> {
    const { db, logger, present, forget } = this.#parts
    const waiting = await db
      .selectFrom('hosts')
      .select('name')
      // One that was shut out is never dialled again.
      .where('revoked_at', 'is', null)
      .where(eb => eb.or([eb('manager_key', 'is', null), eb('manager_key', '!=', present.keyId)]))
      .execute()
    if (!this.#earlier) {
      return
    }
    if (waiting.length > 0) {
      const names = waiting.map(({ name }) => name).join(',')
      logger.info('manager.key-changing', { key: present.keyId, waiting: names })
      return
    }
    this.#earlier = undefined
    forget()
    logger.info('manager.key-changed', { key: present.keyId })
  }

  async #note(host: string): Promise<void> {
    const { db, present } = this.#parts
    await db.updateTable('hosts').set({ manager_key: present.keyId }).where('name', '=', host).execute()
    await this.settle()
  }
}
