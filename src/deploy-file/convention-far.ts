import { REMOTE_FOLDER, remoteFolderOf } from '#formats/remote-folder.ts'
import type { Shelf } from './convention.ts'
import { conventionFiles } from './convention-files.ts'

/** Files of other repositories describe nothing by themselves. */
export function isOwn(path: string): boolean {
  return !path.startsWith(`${REMOTE_FOLDER}/`)
}

/** Compose files of other repositories, of which the texts are wanted too. */
export function farComposes(paths: readonly string[]): string[] {
  const far = conventionFiles(paths.filter(path => !isOwn(path)))
  return far.filter(({ kind }) => kind === 'compose').map(({ path }) => path)
}

/** Finds the files of other repositories that a checkout has, else those of its own. */
export function findFar(paths: readonly string[], only: Shelf['only']): Shelf['far'] {
  const far = paths.filter(path => !isOwn(path))
  const files = conventionFiles(far)
  return (repository, kind, name) => {
    const folder = `${remoteFolderOf(repository)}/`
    const same = files.filter(
      each => each.path.startsWith(folder) && each.kind === kind && each.name === name,
    )
    const own = only(kind, name)?.path
    if (same.length > 0 || own !== undefined) {
      return same.length > 1 ? undefined : (same[0]?.path ?? own)
    }
    const isFetched = far.some(path => path.startsWith(folder))
    return isFetched
      ? undefined
      : folder + (kind === 'compose' ? `docker-compose.${name}.yml` : `Dockerfile.${name}`)
  }
}
