import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { BackupFacts, BackupManifest, CreateBackup } from '#contract/backup.ts'
import { FairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { loadIdentity } from '#link/identity.ts'
import { DATABASE_FILE } from '#manager/store/database.ts'
import { takeLock } from '#manager/store/folder-lock.ts'
import { copyServerToFile } from '#manager/store/server-to-file.ts'
import { type Source, writeArchive } from './archive.ts'
import { type ArchiveFile, sizeOf } from './archive-file.ts'
import type { BackupParts } from './backup-parts.ts'
import { BACKUP_NOT_WRITTEN, BACKUP_NOTHING_HERE, BACKUP_UNDER_WAY } from './errors.ts'
import { checkOwnKeys } from './own-keys.ts'
import { ownVersion } from './own-version.ts'
import { refuseExisting, writeWhole } from './write-whole.ts'

export const KEY_FILE = 'secret.key'
export const IDENTITY_FILES = ['identity/identity.json', 'identity/tls.json']
/** While hosts learn a new key (docs/hosts.md). */
const EARLIER_FILES = ['identity/earlier/identity.json', 'identity/earlier/tls.json']
const SNAPSHOT = 'backup-snapshot'
/** Pages that are copied under one lock: all, so that no write begins the copy anew. Writers go on meanwhile. */
const ALL_PAGES = 0x7fff_ffff
/** A key is exchanged at the start of a manager only. */
const MOST_TRIES = 3

/**
 * Backs up the manager while it runs, or does not: database, keys, identity, and logs of deployments where they are
 * wanted. The database of a server is in it as a file too, so that it can be restored into either. The file appears when
 * it is whole.
 */
export async function createBackup(
  data: string,
  { to, descriptor, passphrase, recipients, logs }: CreateBackup,
  { clock, database }: Pick<BackupParts, 'clock' | 'database'>,
): Promise<BackupFacts> {
  const needed = [...(database ? [] : [DATABASE_FILE]), KEY_FILE, ...IDENTITY_FILES]
  const missing = needed.find(name => !existsSync(join(data, name)))
  if (missing !== undefined) {
    throw BACKUP_NOTHING_HERE(data)
  }
  if (descriptor === undefined) {
    refuseExisting(to)
  }
  const lock = takeLock(join(data, 'backup.lock'))
  if (!lock) {
    throw BACKUP_UNDER_WAY(data)
  }
  const folder = join(data, SNAPSHOT)
  try {
    // Of a backup that was killed.
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o700 })
    const copy = database
      ? (file: string) =>
          copyServerToFile(database, file, { now: clock.now, without: logs ? [] : ['log_pieces'] })
      : (file: string) => copyFile(join(data, DATABASE_FILE), file)
    await takeSnapshot(data, folder, copy)
    failpoint('manager', 'backup', 'snapshot')
    const { keyId } = loadIdentity({ folder: join(data, 'identity'), clock })
    const manifest = await writeWhole({ to, descriptor }, draft =>
      writeArchive(draft, {
        descriptor,
        sources: [
          ...[DATABASE_FILE, KEY_FILE].map(name => ({ name, path: join(folder, name) })),
          ...[...IDENTITY_FILES, ...EARLIER_FILES.filter(name => existsSync(join(data, name)))].map(name => ({
            ...{ name, path: join(data, name) },
          })),
          ...(logs ? logSources(data) : []),
        ],
        facts: {
          made_at: new Date(clock.now()).toISOString(),
          version: ownVersion(),
          key_id: keyId,
          schema: schemaOf(join(folder, DATABASE_FILE)),
        },
        key: { recipients, ...(passphrase === undefined ? {} : { passphrase }) },
      }),
    )
    return factsOf({ file: to, descriptor }, manifest)
  } catch (error) {
    throw error instanceof FairleadError
      ? error
      : BACKUP_NOT_WRITTEN(to, (error as Error).message).with({ cause: error })
  } finally {
    rmSync(folder, { recursive: true, force: true })
    lock.close()
  }
}

export function factsOf(
  archive: ArchiveFile,
  { format: _, files, ...manifest }: BackupManifest,
): BackupFacts {
  return { ...manifest, file: archive.file, bytes: sizeOf(archive), files: files.length }
}

/** The database as it was at one moment, with the keys that open it. */
async function takeSnapshot(
  data: string,
  folder: string,
  copy: (file: string) => Promise<void>,
): Promise<void> {
  const key = () => readFileSync(join(data, KEY_FILE), 'utf8')
  for (let tries = 1; ; tries++) {
    const before = key()
    await copy(join(folder, DATABASE_FILE))
    if (key() === before || tries >= MOST_TRIES) {
      writeFileSync(join(folder, KEY_FILE), before, { mode: 0o600 })
      checkOwnKeys(join(folder, DATABASE_FILE), { keyFile: join(folder, KEY_FILE), data })
      return
    }
    rmSync(join(folder, DATABASE_FILE))
  }
}

async function copyFile(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: true, timeout: 10_000 })
  try {
    await backup(database, to, { rate: ALL_PAGES })
  } finally {
    database.close()
  }
}

function schemaOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return String(database.prepare('select max(name) as name from migrations').get()?.name ?? '')
  } finally {
    database.close()
  }
}

function logSources(data: string): Source[] {
  const folder = join(data, 'logs')
  if (!existsSync(folder)) {
    return []
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(each => each.isFile())
    .map(each => join(each.parentPath, each.name))
    .map(path => ({ path, name: join('logs', path.slice(folder.length + 1)) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}
