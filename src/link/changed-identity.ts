import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { moveDurably, writeDurably } from './durable-file.ts'
import { IDENTITY_CHANGING } from './errors.ts'
import {
  IDENTITY_FILES,
  type Identity,
  type IdentityPlace,
  loadIdentity,
  loadOrCreateIdentity,
} from './identity.ts'

/** Whoever is pinned elsewhere, and who cannot be everywhere at once. */
export interface ChangedIdentity {
  readonly present: Identity
  /** What it was before, until everybody has learnt the present one; undefined: everybody has. */
  readonly earlier: Identity | undefined
}

const EARLIER = 'earlier'

/** Makes the key that takeIdentity takes, the same one until then; gives its id. IDENTITY_CHANGING before everybody has learnt the last one. */
export function prepareIdentity(place: IdentityPlace): string {
  if (existsSync(earlierIn(place.folder))) {
    throw IDENTITY_CHANGING(place.folder)
  }
  return String(loadIdentity(place).succession.prepare().identity.keyId)
}

/**
 * The identity in this folder, made if there is none. When a key was prepared it is the present one from now on, and the
 * one before is kept beside it. Killed at any moment, the next call goes on.
 */
export function takeIdentity(place: Parameters<typeof loadOrCreateIdentity>[0]): ChangedIdentity {
  const present = loadOrCreateIdentity(place)
  const folder = earlierIn(place.folder)
  if (present.succession.next) {
    keepEarlier(place.folder)
    present.succession.take()
  }
  return { present, earlier: existsSync(folder) ? loadIdentity({ ...place, folder }) : undefined }
}

/** Everybody has learnt the present key: nobody can be the one before any more. */
export function forgetEarlier({ folder }: Pick<IdentityPlace, 'folder'>): void {
  // Renamed first: half of an identity would be a damaged one.
  const gone = `${earlierIn(folder)}.gone`
  rmSync(gone, { recursive: true, force: true })
  moveDurably(earlierIn(folder), gone)
  rmSync(gone, { recursive: true })
}

function keepEarlier(folder: string): void {
  const draft = `${earlierIn(folder)}.new`
  if (existsSync(earlierIn(folder))) {
    return
  }
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  for (const name of IDENTITY_FILES) {
    writeDurably(join(draft, name), readFileSync(join(folder, name), 'utf8'), 0o600)
  }
  moveDurably(draft, earlierIn(folder))
}

function earlierIn(folder: string): string {
  return join(folder, EARLIER)
}
