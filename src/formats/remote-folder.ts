/** Where the files of other repositories lie beside those of a commit, each repository in a folder of its name. */
export const REMOTE_FOLDER = '.remote-repo'

export function remoteFolderOf(name: string): string {
  return `${REMOTE_FOLDER}/${name}`
}
