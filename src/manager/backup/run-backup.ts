import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import {
  type BackupFacts,
  BackupRequest,
  type NewBackupKey,
  type RestoredFacts,
  type VerifyBackup,
} from '#contract/backup.ts'
import { check } from '#lib/check.ts'
import { readArchive } from './archive.ts'
import type { BackupParts } from './backup-parts.ts'
import { createBackup, factsOf } from './create-backup.ts'
import { BACKUP_REQUEST_INVALID } from './errors.ts'
import { exportKeys, importKeys } from './peer-keys.ts'
import { restoreBackup } from './restore-backup.ts'

export type BackupAnswer = BackupFacts | RestoredFacts | NewBackupKey

/** Does what the request says with the manager's folder; the manager may run meanwhile, but not for a restore. */
export async function runBackup(data: string, text: string, parts: BackupParts): Promise<BackupAnswer> {
  const request = check(BackupRequest, JSON.parse(text), 'The request', BACKUP_REQUEST_INVALID)
  switch (request.do) {
    case 'create':
      return await createBackup(data, request, parts)
    case 'verify':
      return await verify(request)
    case 'export':
      return await exportKeys(data, request, parts)
    case 'import':
      return await importKeys(data, request, parts)
    case 'restore':
      return await restoreBackup(data, request, parts)
    case 'key': {
      const identity = await generateX25519Identity()
      return { identity, recipient: await identityToRecipient(identity) }
    }
  }
}

async function verify({ from, descriptor, opening }: VerifyBackup): Promise<BackupFacts> {
  return factsOf({ file: from, descriptor }, await readArchive(from, { descriptor, opening }))
}
