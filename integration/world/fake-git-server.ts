import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as send } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { certificateIn } from '#cli/demo/certificate.ts'
import { freePort } from '#cli/demo/free-port.ts'

export type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => void | Promise<void>

export interface FakeServer {
  readonly url: string
  readonly ca: string
  /** Method and path of each request. */
  readonly requests: string[]
}

/** An HTTPS server that answers whatever a test wants, as a Git server that is hostile or broken would. */
export async function fakeServer(
  world: AsyncDisposableStack,
  folder: string,
  answer: Answer,
): Promise<FakeServer> {
  const { certificate, key } = await certificateIn(folder)
  const requests: string[] = []
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    try {
      await answer(request, response, await buffer(request))
    } catch {
      response.destroy()
    }
  })
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  world.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return { url: `https://127.0.0.1:${port}/app.git`, ca: certificate, requests }
}

/** Asks the real server and gives its answer. */
export async function forwarded(
  to: { readonly url: string; readonly ca: string },
  request: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  const url = new URL(request.url ?? '/', to.url)
  const { host: _, ...headers } = request.headers
  const asked = send(url, { method: request.method ?? 'GET', headers, ca: to.ca }).end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) }
}

/** One line of Git's wire format. */
export function packetLine(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text
}

/** Answers `ls-remote` in protocol version 2 with these lines. */
export function advertise(lines: readonly string[]): Answer {
  return (request, response) => {
    if (request.method === 'GET') {
      const greeting = [packetLine('# service=git-upload-pack\n'), '0000', packetLine('version 2\n')]
      const can = [
        packetLine('ls-refs\n'),
        packetLine('fetch=shallow\n'),
        packetLine('object-format=sha1\n'),
        '0000',
      ]
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
      response.end([...greeting, ...can].join(''))
      return
    }
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
    response.end(`${lines.map(line => packetLine(`${line}\n`)).join('')}0000`)
  }
}
