import type { Selectable } from 'kysely'
import type { LeaderTable } from './leader-tables.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { connect, HOLDS_LOCK, type Line } from './postgres-session.ts'

export interface LeaderSeen {
  /** Whether some manager holds the lock. */
  readonly isHeld: boolean
  /** What the holder has written down; undefined while it starts, or when it takes no others beside it. */
  readonly leader: Selectable<LeaderTable> | undefined
  /** The last line of the audit log as the leader has sealed it. */
  readonly auditHead: string | undefined
}

const HOLDER = `select (select pid from pg_locks where ${HOLDS_LOCK} limit 1) as holder,
to_regclass('shared_files') is not null as has_tables`
const LEADER = `select leader.*, (select content_sealed from shared_files where name = 'audit-head') as audit_head
from leader`
/** Only who holds the lock and says nothing any more, in one statement: it may have come back since it was looked at. */
const END = `select pg_terminate_backend(session::int) as ended from leader
where epoch = $1 and renewed_at < (extract(epoch from clock_timestamp()) * 1000)::bigint - $2
and exists (select 1 from pg_locks where ${HOLDS_LOCK} and pid = session)`

/** Looks at who leads, over a connection of its own that holds no lock and writes nothing. */
export class LeaderWatch {
  readonly #address: PostgresAddress
  #line: Line | undefined

  constructor(address: PostgresAddress) {
    this.#address = address
  }

  /** STORE_UNAVAILABLE and the like while the database does not answer. */
  async look(): Promise<LeaderSeen> {
    const line = await this.#connected()
    const { holder, has_tables } = (await line.query(HOLDER)).rows[0]
    const row = has_tables ? (await line.query(LEADER)).rows[0] : undefined
    const { audit_head: auditHead, ...leader } = row ?? {}
    return {
      isHeld: holder !== null,
      leader: row !== undefined && row.session === holder ? leader : undefined,
      auditHead: auditHead ?? undefined,
    }
  }

  /**
   * Ends the connection of a leader that has not renewed for so long, and with it its lock and what it was writing.
   * Tells whether it did.
   */
  async endSilent(epoch: number, silentMs: number): Promise<boolean> {
    const { rows } = await (await this.#connected()).query(END, [epoch, silentMs])
    return rows[0]?.ended === 1
  }

  async close(): Promise<void> {
    await this.#line?.close()
  }

  async #connected(): Promise<Line> {
    if (!this.#line?.isOpen) {
      this.#line = await connect(this.#address)
    }
    return this.#line
  }
}
