import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { PostgresAddress } from '#manager/store/postgres-address.ts'

/** What a backup or a restore works with. */
export interface BackupParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Where the manager's database is, if it is not in its folder. */
  readonly database: PostgresAddress | undefined
}
