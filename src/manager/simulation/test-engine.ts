import { createHash } from 'node:crypto'
import { defineError } from '#lib/errors.ts'
import type { SimulatedGit } from './test-git.ts'

type Params = Readonly<Record<string, unknown>>

export const BUILD_BROKEN = defineError({
  code: 'IMAGE_BUILD_FAILED',
  status: 422,
  retry: 'never',
  message: () => 'the build of this commit fails',
  hint: () => 'Push a commit that can be built.',
})

interface Container {
  readonly app: string
  readonly deployment: string
  readonly commit: string
  readonly configHash: string
  readonly image: string
  readonly ip: string
}

interface Route {
  readonly hosts: readonly string[]
  readonly port: number
  readonly ip: string
  readonly deployment: string
}

interface AskedRoute {
  readonly name: string
  readonly ip: string
}

const PORT = 8080
const DOCKERFILE = `FROM scratch\nEXPOSE ${PORT}\n`

/** What an engine, a proxy and a switchboard would have, and what each command of a container app does to it. */
export class SimulatedEngine {
  readonly images = new Set<string>()
  containers: readonly Container[] = []
  readonly routes = new Map<string, Route>()
  readonly #git: SimulatedGit
  readonly #deployFile: string

  constructor(git: SimulatedGit, deployFile: string) {
    this.#git = git
    this.#deployFile = deployFile
  }

  /** Commit that a visitor of the app gets. */
  serves(app: string): string | undefined {
    const route = this.routes.get(app)
    return this.containers.find(each => each.app === app && each.ip === route?.ip)?.commit
  }

  of(app: string): readonly Container[] {
    return this.containers.filter(each => each.app === app)
  }

  /** The result of a command, and its effect. Throws what the worker would say. */
  perform(command: string, params: Params): Readonly<Record<string, unknown>> {
    switch (command) {
      case 'repository.tip':
        return { commit: this.#git.tip, branch: 'main' }
      case 'repository.checkout':
        return this.#checkout(String(params.commit ?? this.#git.tip), params.known)
      case 'repository.forget':
        return { removed: [] }
      case 'repository.changes':
        return this.#git.changes(params)
      case 'repository.write-back':
        return this.#git.writeBack(params)
      case 'image.content':
        return this.#content(params)
      case 'image.find':
        return { images: (params.images as { key: string; reference: string }[]).map(found) }
      case 'image.build':
        return this.#build(params)
      case 'image.prune':
        return { removed: [], freedCacheBytes: 0 }
      case 'container.observe':
        return { containers: this.of(String(params.app)).map(each => this.#observed(each)) }
      case 'container.start':
        return this.#start(params)
      case 'container.verify':
        return this.#verify(params)
      case 'container.remove':
        return this.#remove(params)
      case 'route.observe':
        return {
          routes: Object.fromEntries((params.names as string[]).map(name => [name, this.#route(name)])),
        }
      case 'route.point':
        return this.#point(params)
      case 'route.verify':
        return {
          routes: Object.fromEntries((params.routes as AskedRoute[]).map(each => this.#verified(each))),
        }
      case 'route.remove':
        return { removed: this.routes.delete(String(params.name)) }
      default:
        throw new Error(`the simulated engine does not know ${command}`)
    }
  }

  #checkout(commit: string, known: unknown) {
    const texts = { 'fairlead.yaml': this.#deployFile, Dockerfile: DOCKERFILE }
    return {
      ...{ commit, tree: commit, subject: 'Change', author: 'Ada', date: 1, unchanged: commit === known },
      ...this.#git.messageOf(commit),
      ...{ paths: Object.keys(texts), truncated: false, links: [], texts, warnings: [] },
    }
  }

  #content({ commit, images }: Params) {
    const tag = `t-${String(commit).slice(0, 32)}`
    return {
      images: (images as { key: string; repositoryName: string }[]).map(({ key, repositoryName }) => {
        const reference = `fairlead/${repositoryName}:${tag}`
        const local = this.images.has(reference) ? { localImageId: idOf(reference) } : {}
        return { key, tag, reference, registry: 'none', ...local }
      }),
    }
  }

  #build({ reference, commit }: Params) {
    if (this.#git.isBad(String(commit))) {
      throw BUILD_BROKEN()
    }
    const built = !this.images.has(String(reference))
    this.images.add(String(reference))
    return { imageId: idOf(String(reference)), built, source: built ? 'build' : 'host' }
  }

  #start(params: Params) {
    const { app, deployment, commit, configHash, image } = params as Record<string, string>
    const name = String(app)
    if (!this.images.has(String(image))) {
      throw new Error(`there is no image ${image}`)
    }
    const there = this.of(name).find(each => each.deployment === deployment)
    const serving = this.routes.get(name)?.deployment
    // Beside what serves there is one more address: what else has it has to go.
    const others = this.of(name).filter(each => each !== there && each.deployment !== serving)
    this.containers = this.containers.filter(each => !others.includes(each))
    const taken = this.of(name).map(each => each.ip)
    const ip = [1, 2].map(slot => `10.0.${name.length}.${slot}`).find(each => !taken.includes(each)) ?? ''
    const made = { app: name, deployment, commit, configHash, image, ip } as Container
    const container = there ?? made
    this.containers = there ? this.containers : [...this.containers, made]
    return {
      ...{ containerId: idOf(container.deployment), name: nameOf(container), ip: container.ip },
      ...{ imageId: idOf(container.image), health: 'answering', startedAt: STARTED, started: !there },
    }
  }

  #verify({ app, deployment, configHash }: Params) {
    const container = this.of(String(app)).find(each => each.deployment === deployment)
    if (container?.configHash !== configHash) {
      throw new Error('the container is not as planned')
    }
    return { container: this.#observed(container as Container) }
  }

  #remove(params: Params) {
    const app = String(params.app)
    const keep = params.keep as readonly string[]
    const isKept = ({ deployment }: Container) => keep.includes(deployment)
    const serving = params.serving === 'remove' ? undefined : this.routes.get(app)?.deployment
    const isNothingToKeep = keep.length > 0 && !this.of(app).some(isKept)
    const unwanted = this.of(app).filter(
      each => !isNothingToKeep && !isKept(each) && (keep.length === 0 || each.deployment !== serving),
    )
    this.containers = this.containers.filter(each => !unwanted.includes(each))
    return { removed: unwanted.map(nameOf), restarted: [], volumes: [] }
  }

  #point(params: Params) {
    const { name, hosts, port, ip, deployment } = params as unknown as Route & { name: string }
    const previous = this.routes.get(name)?.deployment ?? null
    this.routes.set(name, { hosts, port, ip, deployment })
    const answers = hosts.map(host => ({ host, scheme: 'http', status: 200, ms: 1 }))
    return { switched: previous !== deployment, previous, answers, tls: [] }
  }

  #verified({ name, ip }: AskedRoute) {
    const isAnswering = this.routes.get(name)?.ip === ip && this.of(name).some(each => each.ip === ip)
    const fault = isAnswering ? null : `visitors of ${name} do not get ${ip}`
    return [name, { fault, answers: [], tls: [] }]
  }

  #route(name: string) {
    return this.routes.get(name) ?? null
  }

  #observed(container: Container) {
    const { deployment, commit, configHash, image, ip, app } = container
    return {
      ...{ id: idOf(deployment), name: nameOf(container), deployment, commit, configHash, state: 'running' },
      ...{ health: 'none', exitCode: 0, restarts: 0, image, imageId: idOf(image), ip, startedAt: STARTED },
      serving: this.routes.get(app)?.deployment === deployment,
    }
  }
}

/** Nothing is ever removed here. */
function found({ key, reference }: { readonly key: string; readonly reference: string }) {
  return { key, reference, localName: reference, isNamed: true, registry: 'none' }
}

const STARTED = '2026-11-20T12:00:00Z'

function nameOf({ app, deployment }: Container): string {
  return `${app}-${deployment.slice(-8)}`
}

function idOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
