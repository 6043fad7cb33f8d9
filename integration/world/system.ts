import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { DOCKER_SOCKET } from '#cli/demo/engine.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { freeSubnet } from '#cli/demo/free-subnet.ts'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { type GitServer, startGitServer } from '#cli/demo/git-server.ts'
import { openPlace } from '#cli/demo/place.ts'
import { startProxy } from '#cli/demo/proxy.ts'
import { type Registry, startRegistry } from '#cli/demo/registry.ts'
import { containerIds, removeFromEngine } from '#cli/demo/remove-from-engine.ts'
import { startTogether, type Together, type TogetherOptions } from '#cli/together.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { settingsOfStore } from './system-database.ts'

/** The whole of Fairlead with real parts around it, and one repository to push to. */
export interface System {
  readonly folder: string
  readonly gitServer: GitServer
  readonly registry: Registry
  readonly proxy: { readonly adminUrl: string }
  readonly baseImage: string
  readonly registryOptions: { readonly folder: string; readonly username: string; readonly password: string }
  /** Manager and worker as they run now. */
  together(): Together
  /** Ends what still runs of manager and worker and starts both again on the same data. */
  restart(changes?: Partial<TogetherOptions>): Promise<void>
  /** A repository on the Git server, with one commit of these files, registered under its name. */
  addRepository(name: string, files: Readonly<Record<string, string>>): Promise<Remote>
  /** The same, but only pushed: nothing of it is known yet. */
  pushedRepository(name: string, files: Readonly<Record<string, string>>): Promise<Remote>
  /** Names one more app whose containers and volumes are removed at the end. */
  own(app: string): void
  /** Status and body that a visitor of the host gets through the proxy; status 0 when nothing answers. */
  visit(host: string): Promise<{ status: number; body: string }>
  /** Asks for a deployment of the app and gives how it ended. */
  deploy(app: string): Promise<DeploymentDetail>
  logOf(deployment: string): Promise<string>
}

export interface Remote {
  readonly name: string
  /** Replaces these files (null removes one), commits and pushes; gives the commit. */
  push(files: Readonly<Record<string, string | null>>, message?: string): Promise<string>
  /** The same, with a branch that begins anew: the server forgets every commit before. */
  rewrite(files: Readonly<Record<string, string | null>>): Promise<string>
}

export interface SystemOptions {
  /** Further settings of the parts. */
  readonly environment?: Readonly<Record<string, string>>
  /** For a test that looks into the file itself. Default: a database of the server that all tests share, if there is one. */
  readonly store?: 'file'
  readonly dockerSocket?: string
  readonly registry?: { readonly folder?: string; readonly host?: string }
  /** Of the network of routed apps. Default: a small one, with room for a hundred. */
  readonly subnet?: string
}

/** Starts everything; the stack takes it down again, with all containers, images and files that it made. */
export async function startSystem(stack: AsyncDisposableStack, options: SystemOptions = {}): Promise<System> {
  const place = await openPlace()
  stack.defer(place.remove)
  const baseImage = `${place.name}/base:1`
  const images = [baseImage]
  const apps: string[] = []
  const except = await containerIds()
  stack.defer(() => removeFromEngine({ network: place.name, apps, except, images }))
  const socketPath = options.dockerSocket ?? DOCKER_SOCKET
  await ensureBaseImage({ name: baseImage, socketPath })
  const account = { username: 'test', password: 'a-password-of-the-test' }
  const { folder: registryFolder = join(place.folder, 'registry'), host } = options.registry ?? {}
  const registryOptions = { folder: registryFolder, ...(host ? { host } : {}), ...account }
  const registry = await startRegistry(registryOptions)
  stack.defer(registry.close)
  images.push(`${registry.address}/`)
  const gitServer = await startGitServer({ folder: join(place.folder, 'git'), ...account })
  stack.defer(gitServer.close)
  const proxy = await startProxy({ folder: join(place.folder, 'proxy') })
  stack.defer(proxy.close)

  const store = options.store === 'file' ? {} : await settingsOfStore()
  const parts: TogetherOptions = {
    folder: place.folder,
    clock: systemClock,
    environment: {
      ...store,
      ...options.environment,
      ...(options.dockerSocket ? { FAIRLEAD_DOCKER_SOCKET: options.dockerSocket } : {}),
    },
    managerPort: await freePort(),
    workerPort: await freePort(),
    baseDomain: 'localhost',
    proxy,
    network: { name: place.name, subnet: options.subnet ?? (await freeSubnet(socketPath)) },
    registry,
    allowPrivate: ['127.0.0.0/8'],
  }
  let together = await startTogether(parts)
  stack.defer(() => together.close())

  async function pushedRepository(name: string, files: Readonly<Record<string, string>>): Promise<Remote> {
    await gitServer.createRepository(name)
    const remote = await openRemote(join(place.folder, 'work', name), httpsRemote(gitServer, name))
    await remote.push(files)
    apps.push(name)
    return remote
  }

  return {
    folder: place.folder,
    gitServer,
    registry,
    proxy,
    baseImage,
    registryOptions,
    together: () => together,
    async restart(changes = {}) {
      await together.close()
      const environment = { ...store, ...(changes.environment ?? parts.environment) }
      together = await startTogether({ ...parts, ...changes, environment })
    },
    async addRepository(name, files) {
      const remote = await pushedRepository(name, files)
      await together.client.send('POST', '/repositories', {
        name,
        url: gitServer.url(name),
        ca: gitServer.ca,
        credential: { kind: 'https', username: account.username, password: account.password },
        poll_seconds: 0,
        auto_apps: false,
      })
      await together.client.send('POST', '/apps', { name, repository: name })
      return remote
    },
    pushedRepository,
    own: app => void apps.push(app),
    async visit(host) {
      return await visit(proxy.httpPort, host).catch(() => ({ status: 0, body: '' }))
    },
    async deploy(app) {
      const { id } = await together.client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {
        wait_seconds: 120,
      })
      return await together.client.get<DeploymentDetail>(`/deployments/${id}`)
    },
    logOf: async deployment => await textOf(together, `/deployments/${deployment}/log`),
  }
}

/** By the Host header: names below .localhost are not known to every resolver. */
async function visit(port: number, host: string): Promise<{ status: number; body: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, headers: { host }, agent: false }, resolve)
    request.on('error', reject).end()
  })
  return { status: answer.statusCode ?? 0, body: (await text(answer)).trim() }
}

/** How a person's Git gets to a repository. */
export interface RemoteAccess {
  readonly name: string
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  /** Where the repository is on this machine. */
  readonly repository: string
}

function httpsRemote(server: GitServer, name: string): RemoteAccess {
  const url = new URL(server.url(name))
  url.username = server.username
  url.password = encodeURIComponent(server.password)
  const repository = join(server.repositoriesFolder, `${name}.git`)
  return { name, url: url.href, env: { GIT_SSL_CAINFO: server.caFile }, repository }
}

/** A working copy in the folder, to push from. */
export async function openRemote(folder: string, access: RemoteAccess): Promise<Remote> {
  const { name, url, repository } = access
  await mkdir(folder, { recursive: true })
  const git = async (...args: string[]) => {
    const env = { ...GIT_ENVIRONMENT, ...PERSON, HOME: folder, ...access.env }
    return (await promisify(execFile)('git', args, { cwd: folder, env })).stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  async function commit(files: Readonly<Record<string, string | null>>, message = 'Change'): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      if (content === null) {
        await git('rm', '--quiet', '--force', '--', path)
        continue
      }
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
    await git('add', '--all')
    await git('commit', '--quiet', '--allow-empty', `--message=${message}`)
  }
  async function pushed(...how: string[]): Promise<string> {
    for (let left = 5; ; left--) {
      try {
        await git('push', '--quiet', ...how, url, 'HEAD:refs/heads/main')
        return await git('rev-parse', 'HEAD')
      } catch (error) {
        // Fairlead pushes to the branch as well: links of notebooks a while after a deployment.
        if (left === 0 || !/fetch first|non-fast-forward|cannot lock ref/.test(String(error))) {
          throw error
        }
        await git('pull', '--quiet', '--rebase', url, 'main')
      }
    }
  }
  return {
    name,
    async push(files, message) {
      await commit(files, message)
      return await pushed()
    },
    async rewrite(files) {
      await git('update-ref', '-d', 'HEAD')
      await commit(files)
      const head = await pushed('--force')
      await git('-C', repository, 'reflog', 'expire', '--expire=all', '--all')
      await git('-C', repository, 'gc', '--quiet', '--prune=now')
      return head
    },
  }
}

const PERSON = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
}

async function textOf(together: Together, path: string): Promise<string> {
  const token = (await readFile(together.tokenFile, 'utf8')).trim()
  const answer = await fetch(`${together.url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/plain' },
  })
  return await answer.text()
}
