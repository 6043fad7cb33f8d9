import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as requestSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { certificateIn } from '#cli/demo/certificate.ts'
import type { GitServer } from '#cli/demo/git-server.ts'

export interface GiteaFront {
  /** host:port */
  readonly server: string
  readonly caFile: string
  readonly token: string
  /** Organisations by name, and the repositories that its API knows, by `owner/name`. */
  readonly organisations: Map<string, number>
  readonly repositories: Map<string, { id: number; topics: readonly string[] }>
  close(): Promise<void>
}

/** An API as Gitea's in front of a Git server, on one port as with the real one: whoever has the token may read. */
export async function startGiteaFront(folder: string, gitServer: GitServer): Promise<GiteaFront> {
  const { certificate, key, certificateFile } = await certificateIn(join(folder, 'gitea'))
  const token = 'gta_0123456789abcdef'
  const organisations: GiteaFront['organisations'] = new Map()
  const repositories: GiteaFront['repositories'] = new Map()
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const path = new URL(request.url ?? '/', 'https://x').pathname
    if (path.startsWith('/api/v1/')) {
      answer(path.slice('/api/v1/'.length).split('/'), request, response)
    } else {
      void handOn(request, response).catch(() => response.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  function answer(
    [kind = '', owner = '', name = '']: string[],
    request: IncomingMessage,
    to: ServerResponse,
  ) {
    const found = request.headers.authorization === `token ${token}` ? bodyOf(kind, owner, name) : 401
    to.writeHead(typeof found === 'number' ? found : 200, { 'content-type': 'application/json' })
    to.end(JSON.stringify(typeof found === 'number' ? { message: 'no' } : found))
  }

  function bodyOf(kind: string, owner: string, name: string): object | 404 {
    const id = organisations.get(owner)
    if (kind === 'orgs' && id !== undefined) {
      const own = [...repositories.keys()].filter(path => path.startsWith(`${owner}/`))
      return name === 'repos' ? own.map(documentOf) : { id, name: owner, username: owner }
    }
    return kind === 'repos' && repositories.has(`${owner}/${name}`) ? documentOf(`${owner}/${name}`) : 404
  }

  function documentOf(path: string): object {
    return {
      ...repositories.get(path),
      full_name: path,
      fork: false,
      archived: false,
      empty: false,
      default_branch: 'main',
    }
  }

  /** The Git server has an account of its own. */
  async function handOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, password] = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64')
      .toString()
      .split(':')
    const auth = password === token ? `${gitServer.username}:${gitServer.password}` : 'nobody:'
    const { authorization: _, ...headers } = request.headers
    const { origin } = new URL(gitServer.url('x'))
    const inner = requestSecure(`${origin}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      auth,
      ca: gitServer.ca,
      agent: false,
    })
    const answered = once(inner, 'response') as Promise<[IncomingMessage]>
    await pipeline(request, inner)
    const [from] = await answered
    response.writeHead(from.statusCode ?? 502, from.headers)
    await pipeline(from, response)
  }

  return {
    server: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    caFile: certificateFile,
    token,
    organisations,
    repositories,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
