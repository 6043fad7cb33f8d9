import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Config } from '#manager/config.ts'
import { sealerOf } from '#manager/secrets/key-file.ts'
import { type LeaderSeen, LeaderWatch } from '#manager/store/leader-watch.ts'
import type { PostgresAddress } from '#manager/store/postgres-address.ts'
import { LEADER_MISSING, PEER_KEYS_MISSING } from './errors.ts'
import { createForwarder } from './forward.ts'
import { leaderKeyPlace } from './sealed-places.ts'
import { keepAuditHead } from './shared-files.ts'
import { type Destination, startStandbyServer } from './standby-server.ts'

export const LOOK_MS = 1000
/** Longer than a leader waits before it gives up by itself: it is stopped, or cut off. */
export const SILENT_MS = 15_000

export interface StandbyParts {
  readonly config: Pick<Config, 'data' | 'listen'>
  readonly database: PostgresAddress
  readonly clock: Clock
  readonly logger: Logger
  /** Default: 15 s. */
  readonly silentMs?: number
}

/** A manager that waits for the one that leads to end, and hands on to it what it is asked. */
export class Standby {
  readonly #parts: StandbyParts
  readonly #watch: LeaderWatch
  #server: { readonly url: string; close(): Promise<void> } | undefined
  #to: Destination = LEADER_MISSING('this manager has just started')
  #epoch: number | undefined

  constructor(parts: StandbyParts) {
    this.#parts = parts
    this.#watch = new LeaderWatch(parts.database)
  }

  /** Resolves when nobody leads, at once where nobody does; requests are forwarded meanwhile. False: the signal ended it. */
  async untilFree(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      if (await this.#isFree()) {
        this.#goTo(LEADER_MISSING('this one is about to'))
        return true
      }
      await this.#listen()
      await clock.sleep(LOOK_MS, signal).catch(() => undefined)
    }
    return false
  }

  /** From now on this manager answers itself, or nobody does. */
  async close(): Promise<void> {
    this.#goTo(LEADER_MISSING('this manager ends'))
    await this.#server?.close()
    await this.#watch.close()
  }

  async #isFree(): Promise<boolean> {
    let seen: LeaderSeen
    try {
      seen = await this.#watch.look()
      await this.#endSilent(seen)
    } catch (error) {
      const { retry, message } = asFairleadError(error)
      if (retry === 'never') {
        throw error
      }
      this.#goTo(LEADER_MISSING(message))
      return false
    }
    if (seen.isHeld) {
      this.#follow(seen)
    }
    return !seen.isHeld
  }

  async #endSilent({ leader }: LeaderSeen): Promise<void> {
    const { logger, silentMs = SILENT_MS } = this.#parts
    if (leader && (await this.#watch.endSilent(leader.epoch, silentMs))) {
      logger.warn('manager.leader-ended', {
        leader: leader.name,
        epoch: leader.epoch,
        note: `It held the database and said nothing for ${silentMs / 1000} s.`,
      })
    }
  }

  #follow({ leader, auditHead }: LeaderSeen): void {
    const { config, logger } = this.#parts
    if (!leader) {
      const why = 'the one that holds the database has not begun, or takes none beside it'
      this.#goTo(LEADER_MISSING(`${why} (FAIRLEAD_PEER_LISTEN)`))
      return
    }
    const { epoch, name, address, certificate } = leader
    const keyFile = join(config.data, 'secret.key')
    if (!existsSync(keyFile)) {
      throw PEER_KEYS_MISSING(`there is no ${keyFile}`)
    }
    const sealer = sealerOf(keyFile)
    openWith(keyFile, () => keepAuditHead(auditHead, { sealer, data: config.data }))
    if (this.#epoch === epoch) {
      return
    }
    const key = openWith(keyFile, () => sealer.open(leader.key_sealed, leaderKeyPlace(String(epoch))))
    const forwarder = createForwarder({ name, address, keys: { certificate, key } })
    this.#goTo({ leader: name, forwarder }, epoch)
    logger.info('manager.following', { leader: name, address, epoch })
  }

  #goTo(to: Destination, epoch?: number): void {
    if ('forwarder' in this.#to) {
      this.#to.forwarder.close()
    }
    this.#to = to
    this.#epoch = epoch
  }

  async #listen(): Promise<void> {
    if (!this.#server) {
      this.#server = await startStandbyServer(this.#parts.config.listen, () => this.#to)
      this.#parts.logger.info('manager.standby', { url: this.#server.url })
    }
  }
}

/** Who has other keys than the leader can neither reach it nor ever take over. */
function openWith<T>(keyFile: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    const missing: FairleadError = PEER_KEYS_MISSING(`${keyFile} does not open what they have sealed`)
    throw missing.with({ cause: error })
  }
}
