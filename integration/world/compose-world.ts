import { composeRender, composeUp } from '#commands/compose.ts'
import { deployedHash } from '#commands/compose-model.ts'
import { FairleadError } from '#lib/errors.ts'
import { mustRun } from './command.ts'
import { type ContainerWorld, type loginOf, startContainerWorld } from './container-world.ts'

export async function rendered(world: ContainerWorld, text: string, changes: Partial<RenderChanges> = {}) {
  const commit = await world.commit({ 'compose.yaml': text })
  return render(world, { commit, ...changes })
}

/** Renders and starts, as the plan of a deployment does. */
export async function deploy(world: ContainerWorld, text: string, changes: Partial<RenderChanges> = {}) {
  const { render: hash } = await rendered(world, text, changes)
  return up(world, { render: hash, ...(changes.project ? { project: changes.project } : {}) })
}

export async function failure(doing: Promise<unknown>): Promise<FairleadError> {
  try {
    await doing
  } catch (error) {
    if (error instanceof FairleadError) {
      return error
    }
    throw error
  }
  throw new Error('nothing failed')
}

export function wish(world: ContainerWorld) {
  return { app: world.app, project: world.app, withinMs: 30_000, settleMs: 300, registries: [] }
}

interface RenderChanges {
  readonly preview?: true
  readonly commit: string
  readonly project?: string
  readonly files?: string[]
  readonly variables?: Record<string, string>
  readonly secrets?: Record<string, string>
  readonly routes?: { service: string; port: number }[]
}

export async function render(world: ContainerWorld, changes: RenderChanges) {
  return composeRender.run(world.hands, {
    app: world.app,
    project: world.app,
    repository: 'shop',
    files: ['compose.yaml'],
    variables: {},
    secrets: {},
    routes: [{ service: 'web', port: 8080 }],
    sharedVolumes: [],
    ...changes,
  })
}

export async function up(
  world: ContainerWorld,
  changes: {
    render: string
    project?: string
    settleMs?: number
    withinMs?: number
    pins?: Record<string, string>
    registries?: ReturnType<typeof loginOf>[]
  },
) {
  return composeUp.run(world.hands, {
    app: world.app,
    project: world.app,
    images: {},
    beside: [],
    withinMs: 30_000,
    settleMs: 300,
    registries: [],
    ...changes,
  })
}

export function expected(rendered: Awaited<ReturnType<typeof render>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rendered.services).map(([name, service]) => [name, deployedHash(service, undefined)]),
  )
}

/** Three services: one with a route, one with a health check, and one that ends when its work is done. */
export function shop({ base }: ContainerWorld, { page, more = '' }: { page: string; more?: string }): string {
  return `
services:
  web:
    image: ${base}
    init: true
    command: ["sh", "-c", "mkdir -p /tmp/w && echo -n ${page} > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"]
    expose: [8080]
    ${more}
  db:
    image: ${base}
    init: true
    command: [sleep, "1000"]
    healthcheck: { test: ["CMD", "true"], interval: 200ms }
  job:
    image: ${base}
    command: ["true"]
`
}

export function pair(world: ContainerWorld, page: string, more = ''): string {
  return shop(world, { page, more }).split('  job:')[0] ?? ''
}

/** One service with a line more, at the sixth line of the file. */
export function simple({ base }: ContainerWorld, more: string): string {
  return `services:
  web:
    image: ${base}
    init: true
    expose: [8080]
    ${more}
`
}

export async function page(ip: string): Promise<string> {
  const answer = await fetch(`http://${ip}:8080/`)
  return answer.text()
}

/** A world that also takes the networks and containers of Compose with it. */
export async function startComposeWorld(stack: AsyncDisposableStack): Promise<ContainerWorld> {
  const world = await startContainerWorld(stack)
  stack.defer(() => removeProjects(world))
  return world
}

async function removeProjects({ app, folder }: ContainerWorld): Promise<void> {
  const docker = async (...args: string[]) =>
    (await mustRun('docker', args, { folder })).split(/\s+/).filter(Boolean)
  for (const [kind, list, remove] of [
    ['name', ['ps', '--all'], ['rm', '--force', '--volumes']],
    ['name', ['network', 'ls'], ['network', 'rm']],
    ['name', ['volume', 'ls'], ['volume', 'rm', '--force']],
  ] as const) {
    const found = await docker(...list, '--quiet', '--filter', `${kind}=^${app}`)
    if (found.length > 0) {
      await docker(...remove, ...found)
    }
  }
}
