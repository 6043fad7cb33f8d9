import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client } from '#cli/client.ts'
import { type DemoRepository, newWorkingCopy } from '#cli/demo/demo-repository.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import type { Hook } from '#cli/demo/send-webhook.ts'
import type { World } from '#cli/demo/world.ts'
import { type Form, type TinyApp, writeTinyApp } from './tiny-app.ts'

const FLOOR = join(import.meta.dirname, 'floor.sh')

/** One tiny app, known to Fairlead and to the shell script alike. */
export interface Contender {
  readonly app: TinyApp
  readonly repository: DemoRepository
  readonly hook: Hook
  /** Runs the script until `expect` is served. */
  runFloor(expect: string): Promise<void>
}

export async function openContender(world: World, client: Client, form: Form): Promise<Contender> {
  // Two worlds on one engine would take each other's containers of one name for their own.
  const mine = `${form}-${process.pid}`
  const name = `bench-${mine}`
  const floor = `floor-${mine}`
  const port = await freePort()
  const image = `${world.registry.address}/${floor}`
  const app = { form, name, image, port, baseImage: world.baseImage }
  await world.addApp(name)
  await world.addApp(floor)
  const folder = join(world.folder, name)
  await writeTinyApp(folder, app)
  await world.gitServer.createRepository(name)
  const repository = await newWorkingCopy(folder, world.gitServer, name)
  await repository.commit('first')
  await repository.push()
  const hook = await register(world, client, name)
  return { app, repository, hook, runFloor: await openFloor(world, app, floor) }
}

async function register({ gitServer }: World, client: Client, name: string): Promise<Hook> {
  await client.send('POST', '/repositories', {
    name,
    url: gitServer.url(name),
    ca: gitServer.ca,
    credential: { kind: 'https', username: gitServer.username, password: gitServer.password },
    poll_seconds: 0,
    auto_apps: false,
  })
  await client.send('POST', '/apps', { name, repository: name })
  return await client.send<Hook>('POST', `/repositories/${name}/webhook-secret`, { git_host: 'github' })
}

/** A clone and a login for the script. */
async function openFloor(
  world: World,
  app: TinyApp,
  floor: string,
): Promise<(expect: string) => Promise<void>> {
  const { gitServer, registry } = world
  const work = join(world.folder, floor)
  const docker = join(world.folder, 'floor-docker')
  await mkdir(docker, { recursive: true })
  const auth = Buffer.from(`${registry.username}:${registry.password}`).toString('base64')
  await writeFile(join(docker, 'config.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }))
  const url = new URL(gitServer.url(app.name))
  url.username = gitServer.username
  url.password = encodeURIComponent(gitServer.password)
  const env = {
    ...GIT_ENVIRONMENT,
    HOME: world.folder,
    GIT_SSL_CAINFO: gitServer.caFile,
    DOCKER_CONFIG: docker,
  }
  const run = promisify(execFile)
  await run('git', ['clone', '--quiet', url.href, work], { env })
  const settings = { WORK: work, IMAGE: app.image, NAME: floor, PORT: String(app.port) }
  return async expect => {
    await run('sh', [FLOOR, app.form], {
      env: { ...env, ...settings, EXPECT: expect.trim() },
      timeout: 120_000,
    })
  }
}
