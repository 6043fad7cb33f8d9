import { join } from 'node:path'
import type { FileCall, FileResult } from '#exec/call.ts'
import { newId } from '#lib/id.ts'
import { initMirror } from '#programs/git.ts'
import { MIRROR_DAMAGED, MIRROR_LOCKED } from '#programs/git-errors.ts'
import type { Hands } from './command.ts'
import { type RepositoryFolders, temporaryName } from './repository-folders.ts'

const PRIVATE = 0o700

/** Makes the mirror when it is missing; removes what a fetch that was killed has left in it. */
export async function prepareMirror(hands: Hands, folders: RepositoryFolders): Promise<void> {
  const packs = join(folders.mirror, 'objects', 'pack')
  const { missing, names = [] } = await hands.perform(list(packs))
  if (missing) {
    await makeMirror(hands, folders)
    return
  }
  const left = names.filter(name => name.startsWith('tmp_'))
  await Promise.all(left.map(name => hands.perform(remove(join(packs, name)))))
}

/** Mends what keeps git from using the mirror, and says whether it is worth trying again. */
export async function mendMirror(
  hands: Hands,
  folders: RepositoryFolders,
  error: unknown,
): Promise<'mended' | 'nothing'> {
  if (MIRROR_LOCKED.matches(error)) {
    // Commands of one repository run one after another, so whoever made this lock is dead.
    const { names = [] } = await hands.perform(list(folders.mirror))
    const locks = names.filter(name => name.endsWith('.lock'))
    await Promise.all(locks.map(name => hands.perform(remove(join(folders.mirror, name)))))
    return locks.length > 0 ? 'mended' : 'nothing'
  }
  if (MIRROR_DAMAGED.matches(error)) {
    await removeFolder(hands, folders.repository, folders.mirror)
    return 'mended'
  }
  return 'nothing'
}

/** Removes a folder such that nobody can take the rest of it for the whole. */
export async function removeFolder(hands: Hands, parent: string, folder: string): Promise<void> {
  const doomed = join(parent, temporaryName(newId()))
  await hands.perform(rename(folder, doomed))
  await hands.perform(remove(doomed))
}

/** Under another name first: a mirror that has its name is complete. */
async function makeMirror(hands: Hands, { repository, mirror }: RepositoryFolders): Promise<void> {
  const unfinished = join(repository, temporaryName(newId()))
  await hands.perform(makeFolder(repository, PRIVATE))
  try {
    await hands.perform(initMirror(unfinished))
    await hands.perform(makeFolder(join(unfinished, 'objects', 'pack'), PRIVATE))
    await hands.perform(rename(unfinished, mirror))
  } catch (error) {
    await hands.perform(remove(unfinished))
    throw error
  }
}

export function list(path: string): FileCall<FileResult> {
  return { kind: 'file', operation: 'list', path, read: result => result }
}

export function remove(path: string): FileCall<void> {
  return { kind: 'file', operation: 'remove', path, read: () => undefined }
}

export function makeFolder(path: string, mode: number): FileCall<void> {
  return { kind: 'file', operation: 'make-folder', path, mode, read: () => undefined }
}

export function rename(path: string, to: string): FileCall<void> {
  return { kind: 'file', operation: 'rename', path, to, read: () => undefined }
}
