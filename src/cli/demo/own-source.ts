import { statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type CredentialOptions, readCredential, readFileText } from '#cli/credential.ts'
import { REPOSITORY_NOT_DEPLOYED } from '#cli/errors.ts'
import { inertLine } from '#cli/inert.ts'
import type { CredentialBody, NewRepository } from '#contract/rest/repositories.ts'
import { appNameOf } from '#deploy-file/conventions.ts'
import { cloneAs, type DemoRepository } from './demo-repository.ts'
import type { World } from './world.ts'

export interface OwnRepository extends CredentialOptions {
  /** Git URL or local checkout. */
  readonly repository: string
  readonly branch?: string
}

/** Where the versions of a person's repository come from. */
export interface OwnSource {
  /** What the manager reads the first version from. */
  readonly body: NewRepository
  /**
   * A working copy with that version on the demo's own Git server: nobody's repository is pushed to. `changes` says
   * what the manager has to change to read from there, when it does not already.
   */
  copy(): Promise<{ readonly copy: DemoRepository; readonly changes?: Partial<NewRepository> }>
}

export async function openSource(world: World, own: OwnRepository): Promise<OwnSource> {
  const isFolder = statSync(own.repository, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? await localSource(world, own) : await remoteSource(world, own)
}

/** A local checkout is pushed to the demo's own Git server: a worker reads no paths of its machine. */
async function localSource(world: World, own: OwnRepository): Promise<OwnSource> {
  const from = resolve(own.repository)
  const copy = await cloneToDemo(world, { from, branch: own.branch, environment: {} }).catch(cause => {
    const branch = own.branch === undefined ? '' : ` on a branch ${inertLine(own.branch, 100)}`
    throw REPOSITORY_NOT_DEPLOYED(
      `${inertLine(own.repository)} is a folder without a commit of Git${branch}`,
      own.branch === undefined
        ? 'Make one there: git init && git add . && git commit -m first'
        : '"git branch" lists those that are there.',
    ).with({ cause })
  })
  const body = { name: appNameOf(basename(from)), ...demoServer(world), ...BY_HAND }
  return { body, copy: async () => ({ copy }) }
}

async function remoteSource(world: World, own: OwnRepository): Promise<OwnSource> {
  const credential = await readCredential(own)
  const ca = own.ca === undefined ? undefined : readFileText(own.ca)
  const body: NewRepository = {
    name: appNameOf(own.repository),
    url: own.repository,
    ...BY_HAND,
    ...(own.branch === undefined ? {} : { branch: own.branch }),
    ...(ca === undefined ? {} : { ca }),
    ...(credential === undefined ? {} : { credential }),
  }
  return {
    body,
    async copy() {
      const environment = loginEnvironment(own, credential)
      const branch = own.branch ?? 'main'
      const copy = await cloneToDemo(world, { from: own.repository, branch, environment })
      return { copy, changes: { ...demoServer(world), branch: 'main' } }
    },
  }
}

/** Nothing is looked for and nothing is created but what the demo asks for. */
const BY_HAND = { poll_seconds: 0, auto_apps: false } as const

function demoServer({ gitServer }: World): Pick<NewRepository, 'url' | 'ca' | 'credential'> {
  const { username, password, ca } = gitServer
  return { url: gitServer.url('demo'), ca, credential: { kind: 'https', username, password } }
}

async function cloneToDemo(
  { folder, gitServer }: World,
  source: { from: string; branch: string | undefined; environment: Readonly<Record<string, string>> },
): Promise<DemoRepository> {
  await gitServer.createRepository('demo')
  const copy = await cloneAs(join(folder, 'work'), gitServer, source)
  await copy.push()
  return copy
}

/** As Git wants it: nothing of it is in an argument, where every user of the machine could read it. */
function loginEnvironment(
  own: OwnRepository,
  credential: CredentialBody | undefined,
): Record<string, string> {
  const trusted = own.ca === undefined ? {} : { GIT_SSL_CAINFO: resolve(own.ca) }
  if (credential?.kind === 'https') {
    const login = Buffer.from(`${credential.username}:${credential.password}`).toString('base64')
    return {
      ...trusted,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${own.repository}.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${login}`,
    }
  }
  if (own.sshKey === undefined) {
    return trusted
  }
  const words = ['ssh', '-F', '/dev/null', '-i', resolve(own.sshKey), '-o', 'BatchMode=yes']
  const known = own.knownHosts === undefined ? [] : ['-o', `UserKnownHostsFile=${resolve(own.knownHosts)}`]
  return { GIT_SSH_COMMAND: [...words, ...known].map(quoted).join(' ') }
}

/** Git hands this variable to a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
