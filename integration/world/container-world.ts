import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import type { Registry } from '#cli/demo/registry.ts'
import type { Hands, HostPolicy } from '#commands/command.ts'
import { LABEL } from '#commands/container-data.ts'
import { imageBuild, imageContent } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { Call } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { createRedactor } from '#lib/redact.ts'
import { type OpenSwitchboard, openSwitchboard } from '#worker/switchboard.ts'
import { mustRun } from './command.ts'
import { temporaryFolder } from './temporary-folder.ts'

const SOCKET = '/var/run/docker.sock'
export const LOGIN = { username: 'ada', password: 'love/lace:1843' }

export interface ContainerWorld {
  readonly folder: string
  readonly switchboard: OpenSwitchboard
  readonly hands: Hands
  /** Lines for the deployment's log. */
  readonly said: string[]
  /** Calls so far, as `METHOD path` for requests. */
  readonly calls: string[]
  /** Name of the image with a busybox that apps here start from. */
  readonly base: string
  /** Prefix of everything this world makes on the engine. */
  readonly app: string
  /** Commits these files and brings them to where repository.checkout would. */
  commit(files: Readonly<Record<string, string>>): Promise<string>
  /** Hands on another socket, policy or clock; cancel() ends what they do. */
  handsWith(changes: HandsChanges): Hands & { cancel(): void }
}

export interface HandsChanges {
  readonly socket?: string
  readonly policy?: Partial<HostPolicy>
}

/** A real engine and switchboard with a network of its own; nothing of it stays. */
export async function startContainerWorld(world: AsyncDisposableStack): Promise<ContainerWorld> {
  const folder = await temporaryFolder(world)
  const app = `w${newId().slice(-10).replaceAll('-', '')}`
  const subnet = `10.${200 + Math.floor(Math.random() * 50)}.${Math.floor(Math.random() * 250)}.0/24`
  const base = `${app}-base:1`
  world.defer(() => cleanEngine(folder, app))
  await ensureBaseImage({ name: base })
  const switchboard = await openSwitchboard({
    folder: join(folder, 'switchboard'),
    listen: '127.0.0.1:0',
    subnet,
    clock: systemClock,
  })
  world.defer(switchboard.close)
  const said: string[] = []
  const calls: string[] = []
  const workspace = join(folder, 'workspace')
  const handsWith = ({ socket = SOCKET, policy = {} }: HandsChanges) => {
    const controller = new AbortController()
    const performUntil = (signal: AbortSignal) => {
      const say = (text: string) => said.push(text)
      const perform = createPerform({
        clock: systemClock,
        say,
        signal,
        redactor: createRedactor(),
        workspace,
      })
      return <T>(call: Call<T>): Promise<T> => {
        calls.push(call.kind === 'request' ? `${call.method} ${call.path}` : call.kind)
        return perform(call)
      }
    }
    return {
      id: app,
      perform: performUntil(controller.signal),
      performUntil,
      say: (text: string) => said.push(text),
      signal: controller.signal,
      cancel: () => controller.abort(new Error('cancelled')),
      clock: systemClock,
      host: {
        name: 'box',
        workspace,
        dockerSocket: socket,
        dockerHome: folder,
        network: { name: `${app}-net`, subnet },
        proxy: undefined,
        policy: {
          mode: 'enforce' as const,
          ports: { from: 20_000, to: 29_999, never: [20_022] },
          allowPrivate: [],
          registries: [],
          ...policy,
        },
        switchboard,
      },
    }
  }
  const commit = committer(folder, workspace)
  return { folder, switchboard, hands: handsWith({}), said, calls, base, app, commit, handsWith }
}

/** Everything of the app on the engine, by label and by name. */
async function cleanEngine(folder: string, app: string): Promise<void> {
  const docker = (...args: string[]) => mustRun('docker', args, { folder })
  const words = (text: string) => text.split(/\s+/).filter(Boolean)
  const containers = words(await docker('ps', '--all', '--quiet', '--filter', `name=^${app}`))
  if (containers.length > 0) {
    await docker('rm', '--force', '--volumes', ...containers)
  }
  const images = words(await docker('images', '--format', '{{.ID}}', '--filter', `label=${LABEL.app}=${app}`))
  const base = words(await docker('images', '--quiet', `${app}-base`))
  if (images.length + base.length > 0) {
    await docker('rmi', '--force', ...new Set([...images, ...base]))
  }
  const volumes = words(await docker('volume', 'ls', '--quiet', '--filter', `name=^${app}-`))
  if (volumes.length > 0) {
    await docker('volume', 'rm', '--force', ...volumes)
  }
  const networks = words(await docker('network', 'ls', '--quiet', '--filter', `name=^${app}-net$`))
  if (networks.length > 0) {
    await docker('network', 'rm', ...networks)
  }
}

function committer(folder: string, workspace: string): ContainerWorld['commit'] {
  const source = join(folder, 'source')
  const git = (...args: string[]) => mustRun('git', args, { folder: source, env: GIT_ENVIRONMENT })
  let isNew = true
  return async files => {
    await mkdir(source, { recursive: true })
    if (isNew) {
      await git('init', '--quiet', '--initial-branch=main')
      isNew = false
    }
    await writeFiles(source, files)
    await git('add', '--all')
    await git(
      '-c',
      'user.name=Ada',
      '-c',
      'user.email=a@example.org',
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      'x',
    )
    const commit = (await git('rev-parse', 'HEAD')).trim()
    const mirror = join(workspace, 'repositories', 'shop', 'mirror.git')
    await mkdir(dirname(mirror), { recursive: true })
    await mustRun('git', ['init', '--quiet', '--bare', mirror], { folder, env: GIT_ENVIRONMENT })
    await git('push', '--quiet', '--force', mirror, 'HEAD:refs/heads/main')
    const checkout = join(workspace, 'checkouts', 'shop', commit)
    await mkdir(checkout, { recursive: true })
    await git(`--work-tree=${checkout}`, 'checkout', '--force', commit, '--', '.')
    return commit
  }
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

export interface BuildWish {
  readonly commit: string
  readonly args?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly context?: string
  readonly dockerfile?: string
  readonly target?: string
}

/** Asks for the content of one image, with or without the world's registry. */
export async function contentOf(
  world: ContainerWorld,
  wish: BuildWish,
  registry?: RegistryLogin,
): Promise<ImageContent> {
  const { commit, args = {}, secrets = {}, context = '.', dockerfile = 'Dockerfile', target } = wish
  const result = await imageContent.run(world.hands, {
    repository: 'shop',
    commit,
    images: [
      {
        key: 'app',
        context,
        dockerfile,
        args,
        ...(target ? { target } : {}),
        secretNames: Object.keys(secrets),
        repositoryName: world.app,
        ...(registry ? { registry } : {}),
      },
    ],
  })
  const [content] = result.images
  if (!content) {
    throw new Error('no content')
  }
  return content
}

export interface RegistryLogin {
  readonly address: string
  readonly username: string
  readonly password: string
  readonly ca?: string
}

export function loginOf({ address, ca }: Registry, password = LOGIN.password): RegistryLogin {
  return { address, ca, username: LOGIN.username, password }
}

/** Builds one image and gives its reference. */
export async function buildImage(world: ContainerWorld, wish: BuildWish, registry?: RegistryLogin) {
  const { commit, args = {}, secrets = {}, context = '.', dockerfile = 'Dockerfile', target } = wish
  const content = await contentOf(world, wish, registry)
  const built = await imageBuild.run(world.hands, {
    app: world.app,
    repository: 'shop',
    commit,
    context,
    dockerfile,
    args,
    secrets,
    ...(target ? { target } : {}),
    reference: content.reference,
    registries: registry ? [registry] : [],
    ...(registry && content.registryDigest ? { fetch: { registry, digest: content.registryDigest } } : {}),
  })
  return { ...built, reference: content.reference }
}
