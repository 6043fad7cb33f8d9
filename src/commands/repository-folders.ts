import { join } from 'node:path'

/** Where a worker keeps one repository. */
export interface RepositoryFolders {
  /** Everything below goes with the mirror. */
  readonly repository: string
  readonly mirror: string
  /** Holds one folder per commit, each complete from the moment it has its name. */
  readonly checkouts: string
}

/** Names that start with this are being made or being removed; whoever finds one at the start of a command may remove it. */
const TEMPORARY = '.tmp-'

export function foldersOf(workspace: string, repository: string): RepositoryFolders {
  return {
    repository: join(workspace, 'repositories', repository),
    mirror: join(workspace, 'repositories', repository, 'mirror.git'),
    checkouts: join(workspace, 'checkouts', repository),
  }
}

/** The files of one commit, after repository.checkout has published them. Nobody may change them. */
export function checkoutFolder(workspace: string, repository: string, commit: string): string {
  return join(foldersOf(workspace, repository).checkouts, commit)
}

export function temporaryName(id: string): string {
  return `${TEMPORARY}${id}`
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY)
}

export function isCommit(name: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name)
}
