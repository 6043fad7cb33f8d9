import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

export const DOCKER_SOCKET = '/var/run/docker.sock'

export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** A tar archive. */
  readonly body?: { pipe(to: NodeJS.WritableStream): unknown }
}

export interface EngineReply {
  readonly status: number
  readonly text: string
}

/** One request to the Docker engine of this machine over a connection of its own. */
export async function callEngine(socketPath: string, call: EngineCall): Promise<EngineReply> {
  const { method, path, body } = call
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = body ? { 'content-type': 'application/x-tar' } : {}
  const request = httpRequest({ socketPath, method, path, headers, agent: false })
  request.on('response', resolve).on('error', cause => {
    reject(new Error(`the Docker engine does not answer at ${socketPath}`, { cause }))
  })
  if (body) {
    body.pipe(request)
  } else {
    request.end()
  }
  const response = await promise
  return { status: response.statusCode ?? 0, text: await text(response) }
}

/** What the engine lists at a path, narrowed by its filters. */
export async function listFromEngine<T>(
  socketPath: string,
  path: string,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<T[]> {
  const query = new URLSearchParams({ all: 'true', filters: JSON.stringify(filters) })
  const reply = await callEngine(socketPath, { method: 'GET', path: `${path}?${query}` })
  if (reply.status !== 200) {
    throw new Error(`the Docker engine does not list ${path}: ${reply.text}`)
  }
  return JSON.parse(reply.text) as T[]
}
