import { join } from 'node:path'

/** Where a worker keeps what it rendered for one Compose project. Only the worker can read it: it holds secrets. */
export function projectFolder(workspace: string, project: string): string {
  return join(workspace, 'renders', project)
}

/** A rendered configuration by the hash of its text. */
export function renderFile(workspace: string, project: string, hash: string): string {
  return join(projectFolder(workspace, project), `${hash}.json`)
}

/** Files and folders of checkouts that containers mount, by their content: another commit with the same content mounts the same. */
export function mountedFiles(workspace: string, project: string): string {
  return join(projectFolder(workspace, project), 'files')
}

/** The same once more, mounted by nobody: what was edited by hand is mended from here. */
export function originalFiles(workspace: string, project: string): string {
  return join(projectFolder(workspace, project), 'originals')
}

/** Which app the project belongs to, and the names of its routes. */
export function ownerFile(workspace: string, project: string): string {
  return join(projectFolder(workspace, project), 'owner.json')
}

/** Whose the volumes are that stayed when a stack or project went. Its name may be somebody else's since. */
export function keptFile(workspace: string, shelf: string): string {
  return join(workspace, 'kept-volumes', `${shelf}.json`)
}

/** What Compose made of its input, by the hash of the input. */
export function configFile(workspace: string, project: string, key: string): string {
  return join(projectFolder(workspace, project), `config-${key}.json`)
}
