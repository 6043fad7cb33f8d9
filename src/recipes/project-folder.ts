/** The files of one project, by paths from its folder. */
export interface ProjectFolder {
  readonly paths: readonly string[]
  has(path: string): boolean
  hasFolder(path: string): boolean
  /** Undefined when the file is absent or was not read. */
  text(path: string): string | undefined
}

export function createProjectFolder(
  paths: readonly string[],
  text: (path: string) => string | undefined,
): ProjectFolder {
  const files = new Set(paths)
  const folders = new Set<string>()
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end)
      if (folders.has(folder)) {
        break
      }
      folders.add(folder)
    }
  }
  return {
    paths,
    has: path => files.has(path),
    hasFolder: path => folders.has(path),
    text: path => (files.has(path) ? text(path) : undefined),
  }
}
