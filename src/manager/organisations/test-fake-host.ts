import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '#lib/clock.ts'
import { createHttpClient, type HttpClient } from '#manager/http.ts'

export interface FakeRepository {
  readonly id: number
  /** `owner/name` */
  full_name: string
  fork?: boolean
  archived?: boolean
  disabled?: boolean
  default_branch?: string
  topics?: string[]
}

/** An API as GitHub's, on loopback: pages by Link, ETags, quotas and refusals. */
export class FakeHost {
  organisation = { id: 9919, login: 'acme' }
  repositories: FakeRepository[] = []
  /** `owner/name` of those with a fairlead.yaml. */
  readonly deployFiles = new Set<string>()
  /** Answers everything instead. */
  refusal: { status: number; headers?: Record<string, string> } | undefined
  readonly asked: string[] = []
  /** How many questions were answered with "as before". */
  unchanged = 0
  /** Where requests wanted to go, and with which tokens. */
  readonly origins = new Set<string>()
  readonly tokens = new Set<string | undefined>()
  readonly #server = createServer((request, response) => this.#answer(request, response))
  #url = ''

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The real client, with every server's name leading here. */
  get http(): HttpClient {
    const client = createHttpClient({ clock: systemClock, allowPrivate: ['127.0.0.0/8'] })
    return {
      send: async (request, options) => {
        const { origin, pathname, search } = new URL(request.url)
        this.origins.add(origin)
        return await client.send({ ...request, url: `${this.#url}${pathname}${search}` }, options)
      },
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://x')
    this.asked.push(url.pathname)
    this.tokens.add(request.headers.authorization)
    if (this.refusal) {
      response.writeHead(this.refusal.status, this.refusal.headers).end('{"message":"no"}')
      return
    }
    const { body, headers } = this.#found(url) ?? {}
    if (body === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}')
      return
    }
    const text = JSON.stringify(body)
    const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) {
      this.unchanged += 1
      response.writeHead(304, { etag }).end()
      return
    }
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', etag, ...headers }).end(text)
  }

  #found(url: URL): { body: unknown; headers?: Record<string, string> } | undefined {
    const { pathname, searchParams } = url
    const [, first, owner = '', name = '', ...rest] = pathname.split('/')
    const isOurs = owner.toLowerCase() === this.organisation.login.toLowerCase()
    if (first === 'orgs' && isOurs) {
      return name === 'repos'
        ? this.#page(Number(searchParams.get('page') ?? 1), Number(searchParams.get('per_page')))
        : { body: { ...this.organisation, type: 'Organization', node_id: 'x', description: null } }
    }
    const path = `${owner}/${name}`
    const repository = this.repositories.find(each => each.full_name.toLowerCase() === path.toLowerCase())
    if (first !== 'repos' || !repository) {
      return undefined
    }
    if (rest[0] === 'contents') {
      return this.deployFiles.has(path)
        ? { body: { type: 'file', path: rest.slice(1).join('/') } }
        : undefined
    }
    return { body: documentOf(repository) }
  }

  #page(page: number, size: number): { body: unknown; headers?: Record<string, string> } {
    const ours = this.repositories.filter(each => each.full_name.startsWith(`${this.organisation.login}/`))
    const body = ours.slice((page - 1) * size, page * size).map(documentOf)
    const last = Math.ceil(ours.length / size)
    const at = (number: number, rel: string) =>
      `<https://api.github.com/organizations/${this.organisation.id}/repos?per_page=${size}&page=${number}>; rel="${rel}"`
    return page < last
      ? { body, headers: { link: `${at(page + 1, 'next')}, ${at(last, 'last')}` } }
      : { body }
  }
}

function documentOf(repository: FakeRepository): object {
  const [login, name] = repository.full_name.split('/')
  return {
    node_id: 'R_x',
    name,
    owner: { login, type: 'Organization' },
    private: true,
    fork: false,
    archived: false,
    disabled: false,
    default_branch: 'main',
    topics: [],
    clone_url: `https://elsewhere.example.org/${repository.full_name}.git`,
    ...repository,
  }
}
