import { ask } from '#cli/demo/ask.ts'
import { containerRemove, containerStart } from '#commands/container.ts'
import { newId } from '#lib/id.ts'
import { mustRun } from './command.ts'
import { buildImage, type ContainerWorld } from './container-world.ts'

export const CONFIG = 'a'.repeat(64)

/** What container.start is told for a web app, with changes. */
export function startData(world: ContainerWorld, image: string, changes: object = {}) {
  return {
    app: world.app,
    deployment: newId(),
    commit: 'c'.repeat(40),
    configHash: CONFIG,
    image,
    environment: {},
    port: 8080,
    health: { withinMs: 10_000 },
    volumes: [],
    ports: [],
    stopGraceSeconds: 1,
    ...changes,
  }
}

/** Builds an image that serves `content` at port 8080; `more` are further lines of its Dockerfile. */
export async function webImage(world: ContainerWorld, content: string, more = ''): Promise<string> {
  const commit = await world.commit({
    Dockerfile: [
      `FROM ${world.base}`,
      'COPY page /www/index.html',
      more,
      'CMD ["httpd","-f","-p","8080","-h","/www"]',
    ].join('\n'),
    page: content,
  })
  return (await buildImage(world, { commit })).reference
}

/** Builds an image whose program prints two lines and ends with exit code 3. */
export async function crashingImage(world: ContainerWorld): Promise<string> {
  const commit = await world.commit({
    Dockerfile: `FROM ${world.base}\nCMD echo reading config; echo config.json is missing; exit 3\n`,
  })
  return (await buildImage(world, { commit })).reference
}

/** Starts and routes as the steps of a deployment do, and removes what served before. */
export async function deploy(world: ContainerWorld, image: string, changes: object = {}) {
  const data = startData(world, image, changes)
  const result = await containerStart.run(world.hands, data)
  await world.switchboard.point(world.app, { ip: result.ip, deployment: data.deployment })
  await containerRemove.run(world.hands, { app: world.app, keep: [data.deployment], drainMs: 0 })
  return result
}

/** What a web app answers. */
export async function page(ip: string, port = 8080): Promise<string> {
  return (await ask(`http://${ip}:${port}/`)).body
}

/** The real client. */
export function docker(world: ContainerWorld, ...args: string[]): Promise<string> {
  return mustRun('docker', args, { folder: world.folder })
}

/** Names of all containers of the world, running or not. */
export async function names(world: ContainerWorld): Promise<string[]> {
  const text = await docker(world, 'ps', '--all', '--format', '{{.Names}}', '--filter', `name=^${world.app}`)
  return text.split('\n').filter(Boolean).sort()
}

/** All that the engine knows of a container. */
// biome-ignore lint/suspicious/noExplicitAny: the engine's own JSON, read by the tests only
export async function inspect(world: ContainerWorld, name: string): Promise<any> {
  return JSON.parse(await docker(world, 'inspect', name))[0]
}
