import { join } from 'node:path'
import type { Hands } from './command.ts'
import { systemsOf } from './system-incus.ts'

/** Where a backup is on this host. The id has the form of one, so it leads nowhere else. */
export function backupFile(hands: Hands, backup: string): string {
  return join(systemsOf(hands).backups, `${backup}.age`)
}
