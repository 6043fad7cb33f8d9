import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomText } from '#lib/id.ts'
import { takeLock } from '#manager/store/folder-lock.ts'
import { RESTORE_UNDER_WAY } from './errors.ts'

const DRAFT = 'restoring-'
const PARTS = /(?:-databases|\.lock)$/

/** Where a restore makes what is to be the manager's folder, beside the place of that. */
export interface RestoreDraft {
  /** Of this restore: no other has the same. */
  readonly id: string
  readonly folder: string
  /** For databases that are not to stay in the manager's folder. */
  readonly beside: string
  /** Removes what is left of it. */
  close(): void
}

/**
 * A draft with a lock that is given back when its process dies: what a killed restore has left is removed, and while one
 * lives there is no other. Throws RESTORE_UNDER_WAY.
 */
export function openDraft(parent: string): RestoreDraft {
  const names = readdirSync(parent).filter(each => each.startsWith(DRAFT))
  for (const id of new Set(names.map(name => name.slice(DRAFT.length).replace(PARTS, '')))) {
    removeDead(parent, id)
  }
  const id = randomText(6)
  const [folder, beside, lockFile] = pathsOf(parent, id)
  const lock = takeLock(lockFile)
  if (!lock) {
    throw RESTORE_UNDER_WAY(parent)
  }
  const close = () => {
    remove(parent, id)
    lock.close()
  }
  return { id, folder, beside, close }
}

function removeDead(parent: string, id: string): void {
  const [, , lockFile] = pathsOf(parent, id)
  const lock = existsSync(lockFile) ? takeLock(lockFile) : undefined
  if (existsSync(lockFile) && !lock) {
    throw RESTORE_UNDER_WAY(parent)
  }
  remove(parent, id)
  lock?.close()
}

function remove(parent: string, id: string): void {
  for (const path of pathsOf(parent, id)) {
    rmSync(path, { recursive: true, force: true })
  }
}

function pathsOf(parent: string, id: string) {
  const draft = join(parent, `${DRAFT}${id}`)
  return [draft, `${draft}-databases`, `${draft}.lock`] as const
}
