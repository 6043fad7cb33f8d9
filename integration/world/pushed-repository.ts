import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { GitServer } from '#cli/demo/git-server.ts'
import { mustRun } from './command.ts'
import { addCommits, withLogin, workingCopy } from './git-client.ts'

export interface PushedRepository {
  readonly gitServer: GitServer
  readonly name: string
  /** Of the working copy. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** A new repository on the server with these files in its first commit; gives its working copy. */
export async function pushRepository(
  { gitServer, name, folder, env }: PushedRepository,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await gitServer.createRepository(name)
  await workingCopy(folder, env, 0)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await pushCommit({ gitServer, name, folder, env })
}

/** Everything that is in the working copy as one more commit. */
export async function pushCommit({ gitServer, name, folder, env }: PushedRepository): Promise<void> {
  await addCommits(folder, env)
  const url = withLogin(gitServer.url(name), gitServer.username, gitServer.password)
  await mustRun('git', ['push', '--quiet', url, 'main'], { folder, env })
}
