import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BackupFacts, ExportKeys, ImportKeys } from '#contract/backup.ts'
import type { Clock } from '#lib/clock.ts'
import { randomText } from '#lib/id.ts'
import { loadIdentity } from '#link/identity.ts'
import { sealerOf } from '#manager/secrets/key-file.ts'
import { LOCK_FILE } from '#manager/store/database.ts'
import { takeLock } from '#manager/store/folder-lock.ts'
import { readArchive, writeArchive } from './archive.ts'
import { factsOf, IDENTITY_FILES, KEY_FILE } from './create-backup.ts'
import { KEYS_NOT_IN_THERE, KEYS_NOTHING_HERE, KEYS_THERE, RESTORE_LIVE } from './errors.ts'
import { ownVersion } from './own-version.ts'
import { refuseExisting, writeWhole } from './write-whole.ts'

const FILES = [KEY_FILE, ...IDENTITY_FILES]
const DRAFT = 'importing-'

interface Parts {
  readonly clock: Clock
}

/** What another manager on the same database needs besides it, in a file that only the passphrase or key opens. */
export async function exportKeys(data: string, wanted: ExportKeys, { clock }: Parts): Promise<BackupFacts> {
  const { to, descriptor, passphrase, recipients } = wanted
  if (FILES.some(name => !existsSync(join(data, name)))) {
    throw KEYS_NOTHING_HERE(data)
  }
  if (descriptor === undefined) {
    refuseExisting(to)
  }
  const manifest = await writeWhole({ to, descriptor }, draft =>
    writeArchive(draft, {
      descriptor,
      sources: FILES.map(name => ({ name, path: join(data, name) })),
      facts: {
        made_at: new Date(clock.now()).toISOString(),
        version: ownVersion(),
        key_id: loadIdentity({ folder: join(data, 'identity'), clock }).keyId,
        schema: '',
      },
      key: { recipients, ...(passphrase === undefined ? {} : { passphrase }) },
    }),
  )
  return factsOf({ file: to, descriptor }, manifest)
}

/** Takes them into the folder of a manager that has none yet; all of them or none. */
export async function importKeys(
  data: string,
  { from, descriptor, opening }: ImportKeys,
  { clock }: Parts,
): Promise<BackupFacts> {
  refuseUsed(data)
  const draft = join(data, `${DRAFT}${randomText(6)}`)
  try {
    const manifest = await readArchive(from, { descriptor, opening, folder: draft })
    const names = manifest.files.map(({ name }) => name)
    if (names.length !== FILES.length || !FILES.every(name => names.includes(name))) {
      throw KEYS_NOT_IN_THERE(from)
    }
    // Damaged ones are refused before anything is in its place.
    loadIdentity({ folder: join(draft, 'identity'), clock })
    sealerOf(join(draft, KEY_FILE))
    // The key last: without it a manager that stands by does not begin.
    for (const name of [...IDENTITY_FILES, KEY_FILE]) {
      mkdirSync(dirname(join(data, name)), { recursive: true, mode: 0o700 })
      renameSync(join(draft, name), join(data, name))
    }
    return factsOf({ file: from, descriptor }, manifest)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function refuseUsed(data: string): void {
  const lockFile = join(data, LOCK_FILE)
  const isUsed = existsSync(lockFile)
  const lock = isUsed ? takeLock(lockFile) : undefined
  if (isUsed && !lock) {
    throw RESTORE_LIVE(data)
  }
  lock?.close()
  const there = FILES.find(name => existsSync(join(data, name)))
  if (there !== undefined) {
    throw KEYS_THERE(join(data, there))
  }
  // Of an import that was killed.
  for (const name of readdirSync(data).filter(each => each.startsWith(DRAFT))) {
    rmSync(join(data, name), { recursive: true, force: true })
  }
}
