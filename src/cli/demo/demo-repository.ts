import { execFile } from 'node:child_process'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { GIT_ENVIRONMENT } from './git-repository.ts'
import type { GitServer } from './git-server.ts'

const AUTHOR = {
  GIT_AUTHOR_NAME: 'Fairlead demo',
  GIT_AUTHOR_EMAIL: 'demo@localhost',
  GIT_COMMITTER_NAME: 'Fairlead demo',
  GIT_COMMITTER_EMAIL: 'demo@localhost',
} as const
const EXAMPLES = join(PACKAGE_ROOT, 'examples')
/** What the Dockerfiles of the examples start from when nobody says otherwise. */
const PUBLIC_BASE = 'docker.io/library/busybox:1.37'

/** A working copy that pushes to the demo's Git server. */
export interface DemoRepository {
  readonly folder: string
  /** Replaces a text in a file of the working copy. */
  edit(file: string, change: (text: string) => string): Promise<void>
  /** Commits everything and gives the commit's id. */
  commit(subject: string): Promise<string>
  /** Returns when the server has taken it and told its listeners. */
  push(): Promise<void>
}

/** A working copy of `examples/` whose images start from `baseImage` instead of one of a public registry. */
export async function copyExamples(
  folder: string,
  server: GitServer,
  baseImage: string,
): Promise<DemoRepository> {
  await cp(EXAMPLES, folder, { recursive: true })
  for (const file of await readdir(folder, { recursive: true })) {
    if (/(^|\/)Dockerfile$/.test(file)) {
      const text = await readFile(join(folder, file), 'utf8')
      await writeFile(join(folder, file), text.replaceAll(PUBLIC_BASE, baseImage))
    }
  }
  return await newWorkingCopy(folder, server, 'demo')
}

/** A branch (default: the one that is checked out) of a repository of the user, to be pushed as the branch main. */
export async function cloneAs(
  folder: string,
  server: GitServer,
  source: { from: string; branch: string | undefined; environment: Readonly<Record<string, string>> },
): Promise<DemoRepository> {
  const { from, branch, environment } = source
  const branchWords = branch === undefined ? [] : ['--single-branch', `--branch=${branch}`]
  await git(
    '/',
    server,
    ['clone', '--quiet', '--no-hardlinks', ...branchWords, '--', from, folder],
    environment,
  )
  await git(folder, server, ['checkout', '--quiet', '-B', 'main'])
  return await openWorkingCopy(folder, server, 'demo')
}

/** A folder, with what is in it, as a working copy of an empty repository of the server. */
export async function newWorkingCopy(
  folder: string,
  server: GitServer,
  name: string,
): Promise<DemoRepository> {
  await git(folder, server, ['init', '--quiet', '--initial-branch=main'])
  return await openWorkingCopy(folder, server, name)
}

async function openWorkingCopy(folder: string, server: GitServer, name: string): Promise<DemoRepository> {
  const url = new URL(server.url(name))
  url.username = server.username
  url.password = encodeURIComponent(server.password)
  // So that a person can go on with `git commit` and `git push` there.
  const settings = [
    ['http.sslCAInfo', server.caFile],
    ['user.name', AUTHOR.GIT_AUTHOR_NAME],
    ['user.email', AUTHOR.GIT_AUTHOR_EMAIL],
    ['push.default', 'upstream'],
    ['remote.origin.url', url.href],
    ['remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*'],
    ['branch.main.remote', 'origin'],
    ['branch.main.merge', 'refs/heads/main'],
  ]
  for (const [key = '', value = ''] of settings) {
    await git(folder, server, ['config', key, value])
  }
  return {
    folder,
    async edit(file, change) {
      const path = join(folder, file)
      await writeFile(path, change(await readFile(path, 'utf8')))
    },
    async commit(subject) {
      await git(folder, server, ['add', '--all'])
      await git(folder, server, ['commit', '--quiet', '--allow-empty', `--message=${subject}`])
      return (await git(folder, server, ['rev-parse', 'HEAD'])).trim()
    },
    push: async () => void (await git(folder, server, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main'])),
  }
}

async function git(
  folder: string,
  server: GitServer,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd: folder,
    env: {
      ...GIT_ENVIRONMENT,
      ...AUTHOR,
      HOME: folder,
      GIT_SSL_CAINFO: server.caFile,
      GIT_TERMINAL_PROMPT: '0',
      ...environment,
    },
  })
  return stdout
}
