import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { type Hook, sendWebhook } from '#cli/demo/send-webhook.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './command.ts'
import { gitOverSsh } from './git-client.ts'
import { ensureNotebookBase } from './notebook-base.ts'
import { type BaseContext, makeNotebookBases } from './notebook-setting.ts'
import { type PythonPackage, startPackageIndex } from './package-index.ts'
import { startSshd } from './sshd.ts'
import { openRemote, type Remote, type System, startSystem } from './system.ts'

const NO_COMMIT = '0'.repeat(40)

/** A repository of notebook projects behind SSH, and servers of real notebooks. */
export interface NotebookSystem {
  readonly system: System
  readonly remote: Remote
  /** Signed, as a Git host sends it after a push; gives the deployments that it started at once. */
  tellOf(commit: string): Promise<readonly string[]>
  /** A file at the tip of the branch, once it is as expected. */
  committed(path: string, expected: RegExp): Promise<string>
  git(...args: string[]): Promise<string>
}

export interface NotebookSystemOptions {
  readonly packages: readonly PythonPackage[]
  /** See `SystemOptions`. */
  readonly subnet?: string
  /** Further settings of the parts. */
  readonly environment?: Readonly<Record<string, string>>
  /** Base images besides. */
  readonly others?: (system: System) => readonly BaseContext[]
}

/**
 * The whole of Fairlead, a Git server that only an RSA key lets in, which may write, and a base image with Jupyter and an
 * index of these packages.
 */
export async function startNotebookSystem(
  stack: AsyncDisposableStack,
  { packages, environment = {}, others = () => [], ...options }: NotebookSystemOptions,
): Promise<NotebookSystem> {
  const system = await startSystem(stack, options)
  const { folder, gitServer } = system
  const index = await startPackageIndex(stack, packages)
  const base = await ensureNotebookBase(folder)
  const variables = `PIP_INDEX_URL=${index.url} PIP_TRUSTED_HOST=${index.host} PIP_RETRIES=0`
  const files = { Dockerfile: `FROM ${base}\nENV ${variables}\n` }
  const store = join(system.registryOptions.folder, 'images')
  const kept = join(tmpdir(), `fairlead-test-${base.replace(/[^a-z0-9]+/g, '-')}`)
  await linkFolder(kept, store)
  const jupyter = { name: 'jupyter', python: '3.11', files }
  const bases = await makeNotebookBases(system, [jupyter, ...others(system)])
  await linkFolder(store, kept)
  await system.restart({ environment: { ...bases, ...environment } })

  const repository = await gitServer.createRepository('lessons')
  const { repositoriesFolder } = gitServer
  const sshd = await startSshd({ folder: join(folder, 'sshd'), repositoriesFolder, keyType: 'rsa' })
  stack.defer(sshd.close)
  const env = await gitOverSsh(folder, sshd)
  const remote = await openRemote(join(folder, 'lessons'), {
    ...{ name: 'lessons', url: sshd.url('lessons'), env, repository },
  })
  await remote.push({ 'README.md': 'Lessons\n' })
  const { client } = system.together()
  await client.send('POST', '/repositories', {
    name: 'lessons',
    url: sshd.url('lessons'),
    credential: { kind: 'ssh', private_key: sshd.clientKey, known_hosts: sshd.hostKeys },
    poll_seconds: 0,
    auto_apps: true,
  })
  const hook = await client.send<Hook>('POST', '/repositories/lessons/webhook-secret', { git_host: 'github' })
  const git = (...args: string[]) =>
    mustRun('git', [`--git-dir=${repository}`, ...args], { folder: '/', env: GIT_ENVIRONMENT })
  return {
    system,
    remote,
    git,
    tellOf: commit => sendWebhook(hook, { ref: 'refs/heads/main', before: NO_COMMIT, after: commit }),
    async committed(path, expected) {
      for (;;) {
        const text = await git('show', `main:${path}`).catch(() => '')
        if (expected.test(text)) {
          return text
        }
        await systemClock.sleep(100)
      }
    },
  }
}

/** What a registry keeps of an image, for the next one: compressing half a gigabyte takes a busy machine minutes. */
async function linkFolder(from: string, to: string): Promise<void> {
  if (!existsSync(from) || existsSync(join(to, 'docker'))) {
    return
  }
  const making = `${to}-${process.pid}`
  await mustRun('cp', ['--recursive', '--link', from, making], { folder: '/' })
  // Another run may have been faster.
  await rename(making, to).catch(async () => await rm(making, { recursive: true }))
}
