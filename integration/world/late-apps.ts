import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { fakeServer, forwarded } from './fake-git-server.ts'
import type { StuckRegistry } from './stuck-registry.ts'
import type { Remote, System } from './system.ts'
import { assertNothingLeft, processesWith, type Traces, tracesOf, until } from './traces.ts'

type Files = Readonly<Record<string, string>>

/** What an app is before something of it hangs. */
export interface Scene {
  readonly before: Traces
  readonly serving: string
}

const SERVE = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n'
/** Ignores SIGTERM, and serves all the same. */
export const STUBBORN = `CMD ["sh", "-c", "trap '' TERM; httpd -p 8080 -h /www; while :; do sleep 1; done"]\n`

/** Three apps of which something can hang: one in a container, one of Compose, and one that goes on meanwhile. */
export class LateApps {
  readonly container: string
  readonly compose: string
  readonly other: string
  /** In the command lines of what hangs: nothing else on the machine has it. */
  readonly mark: string
  readonly serve: string = SERVE
  readonly #system: System
  readonly #registry: StuckRegistry
  readonly #stack: AsyncDisposableStack
  readonly #remotes = new Map<string, Remote>()
  #version = 0
  #gitHost = 'nowhere yet'

  constructor(
    stack: AsyncDisposableStack,
    { name, mark, system, registry }: { name: string; mark: number; system: System; registry: StuckRegistry },
  ) {
    this.container = `${name}-${process.pid}`
    this.compose = `${name}-compose-${process.pid}`
    this.other = `${name}-other-${process.pid}`
    this.mark = String(mark + (process.pid % 100_000))
    this.#system = system
    this.#registry = registry
    this.#stack = stack
  }

  /** All of them serve. */
  async deployAll(): Promise<void> {
    for (const app of [this.container, this.compose, this.other]) {
      const first = app === this.compose ? this.composeFiles('first') : this.files(app)
      this.#remotes.set(app, await this.#system.addRepository(app, first))
      succeeded(await this.#system.deploy(app))
    }
  }

  async push(app: string, content: Files): Promise<undefined> {
    await this.#remotes.get(app)?.push(content)
  }

  async scene(app: string): Promise<Scene> {
    const serving = await this.visit(app)
    assert.notEqual(serving, '')
    return { before: await tracesOf(this.#system, app), serving }
  }

  async sleeps(): Promise<boolean> {
    return (await processesWith(`sleep ${this.mark}`)).length > 0
  }

  async fetches(): Promise<boolean> {
    return (await processesWith('refs/deploy/')).some(line => line.includes(this.#gitHost))
  }

  async nothingIsLeft(app: string, scene: Scene): Promise<void> {
    await until('all that it started is gone', async () => !(await this.sleeps()))
    assert.deepEqual(await processesWith(this.#gitHost), [])
    await assertNothingLeft(this.#system, app, scene)
  }

  async nextSucceeds(app: string, deadlines: Files = {}): Promise<void> {
    await this.limit(app, deadlines)
    await this.push(app, app === this.compose ? this.composeFiles(randomUUID()) : this.files(app))
    const before = await this.visit(app)
    succeeded(await this.#system.deploy(app))
    assert.notEqual(await this.visit(app), before)
  }

  async limit(app: string, deadlines: Files): Promise<void> {
    const { client } = this.#system.together()
    const { version } = await client.get<{ version: number }>(`/apps/${app}`)
    await client.send('PATCH', `/apps/${app}`, { overrides: { deadlines } }, { 'if-match': `"${version}"` })
  }

  async request(app: string): Promise<string> {
    const { client } = this.#system.together()
    return (await client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {})).id
  }

  async cancel(id: string): Promise<void> {
    await this.#system.together().client.send('POST', `/deployments/${id}/cancel`)
  }

  async detail(id: string): Promise<DeploymentDetail> {
    return await this.#system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
  }

  async ended(id: string): Promise<DeploymentDetail> {
    await until('it ended', async () => (await this.detail(id)).finished_at !== null)
    return await this.detail(id)
  }

  async visit(app: string): Promise<string> {
    return (await this.#system.visit(`${app}.localhost`)).body
  }

  /** What the newest version of the app in a container answers. */
  get newest(): string {
    return `${this.container} ${this.#version}`
  }

  /** Forwards everything to the real Git server but the question for a commit; gives what ends that. */
  async stickGit(): Promise<() => Promise<void>> {
    const server = this.#system.gitServer
    const app = this.container
    const folder = join(this.#system.folder, `stuck-git-${randomUUID()}`)
    let looked = false
    const stuck = await fakeServer(this.#stack, folder, async (asked, response, body) => {
      if (body.includes('command=fetch')) {
        return
      }
      const answer = await forwarded({ url: server.url(app), ca: server.ca }, asked, body)
      const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers } = answer.headers
      response.writeHead(answer.status, headers).end(answer.body)
      looked ||= body.includes('command=ls-refs')
    })
    this.#gitHost = new URL(stuck.url).host
    await this.#changeRepository({ url: stuck.url.replace('app.git', `${app}.git`), ca: stuck.ca })
    // The manager looks at a changed repository by itself: what it finds new, it deploys.
    await until('it has looked', async () => looked)
    await this.push(app, this.files(app))
    return async () => this.#changeRepository({ url: server.url(app), ca: server.ca })
  }

  /** The registry takes such requests of the app in a container and never answers; gives what ends that. */
  async stickRegistry(where: RegExp, content: Files): Promise<() => Promise<void>> {
    await this.push(this.container, content)
    this.#registry.stick(where)
    return async () => this.#registry.free(where)
  }

  files(app: string, { build = '', command = SERVE, within = '20s', settings = [] as string[] } = {}): Files {
    this.#version += 1
    const lines = ['target: container', 'port: 8080', 'drain: 0s', `health: { within: ${within} }`]
    return {
      'index.html': `${app} ${this.#version}`,
      Dockerfile: `FROM ${this.#system.baseImage}\nCOPY index.html /www/index.html\n${build}${command}`,
      'fairlead.yaml': deployFile(app, [...lines, ...settings]),
    }
  }

  composeFiles(text: string, { check = 'true', stubborn = '' } = {}): Files {
    const { baseImage } = this.#system
    return {
      'index.html': text,
      Dockerfile: `FROM ${baseImage}\nCOPY index.html /www/index.html\n${SERVE}`,
      'compose.yaml': `services:
  web:
    build: .
    init: true
    expose: [8080]
    healthcheck: { test: ["CMD-SHELL", "${check}"], interval: 200ms, timeout: 1h }
${stubborn === '' ? '' : stubbornService(baseImage, stubborn)}`,
      'fairlead.yaml': deployFile(this.compose, [
        'target: compose',
        'routes: [{ service: web, port: 8080 }]',
        'verify: { within: 10m }',
      ]),
    }
  }

  async #changeRepository(change: Record<string, unknown>): Promise<void> {
    const { client } = this.#system.together()
    const path = `/repositories/${this.container}`
    const { version } = await client.get<{ version: number }>(path)
    const { username, password } = this.#system.gitServer
    const credential = { kind: 'https', username, password }
    await client.send('PATCH', path, { ...change, credential }, { 'if-match': `"${version}"` })
  }
}

export function succeeded(deployment: DeploymentDetail): void {
  assert.deepEqual([deployment.error, deployment.state], [null, 'succeeded'])
}

/** Ignores SIGTERM, and has to go before what replaces it may start. */
function stubbornService(image: string, text: string): string {
  return `  stubborn:
    image: ${image}
    command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"]
    stop_grace_period: 15s
    labels: { text: "${text}" }
`
}

function deployFile(app: string, settings: readonly string[]): string {
  return ['version: 1', 'apps:', `  ${app}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}
