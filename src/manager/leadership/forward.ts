import { type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http'
import { Agent, type RequestOptions, request as send } from 'node:https'
import type { Duplex } from 'node:stream'
import type { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { problemOf } from '#manager/api/problem.ts'
import { LEADER_UNREACHABLE } from './errors.ts'
import { PEER_SERVER_NAME, type PeerKeys, peerTls } from './peer-tls.ts'

/** The manager that leads, as another one reaches it. */
export interface LeaderPlace {
  readonly name: string
  /** host:port */
  readonly address: string
  readonly keys: PeerKeys
}

export interface Forwarder {
  /** Hands the request on and gives its answer back, also one that never ends. */
  request(request: IncomingMessage, response: ServerResponse): void
  /** The same for one that asks for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Breaks off what is under way: clients come back and are told anew. */
  close(): void
}

const CONNECT_MS = 5000
/** Of one connection, and not of the request. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect']

/** The way to one leader: TLS on which both sides show the key that only managers have. */
export function createForwarder({ name, address, keys }: LeaderPlace): Forwarder {
  const { hostname, port } = new URL(`https://${address}`)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const agent = new Agent({ ...peerTls(keys), servername: PEER_SERVER_NAME, keepAlive: true })
  const upgraded = new Set<Duplex>()

  function ask(request: IncomingMessage, more: RequestOptions['headers'] = {}): ClientRequest {
    const { method, url } = request
    const headers = { ...headersOf(request), ...more }
    const way = { host, port, agent, timeout: CONNECT_MS, setHost: false }
    const asked = send({ ...way, method, path: url, headers })
    asked.on('timeout', () => {
      // Only for the way there: streams of events are silent for longer.
      if (asked.socket?.connecting !== false) {
        asked.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`))
      }
    })
    return asked
  }

  function answerWith(asked: ClientRequest, response: ServerResponse): void {
    asked.on('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, keptOf(answer.rawHeaders))
      response.flushHeaders()
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    asked.on('error', error => {
      // Half an answer is not made to look like a whole one.
      if (response.headersSent) {
        response.destroy()
      } else {
        refuse(response, LEADER_UNREACHABLE(name, address, error.message))
      }
    })
    response.on('close', () => asked.destroy())
  }

  return {
    request(request, response) {
      const asked = ask(request)
      answerWith(asked, response)
      request.pipe(asked)
    },
    upgrade(request, socket, head) {
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket as never)
      response.on('finish', () => socket.end())
      socket.on('error', () => socket.destroy())
      const asked = ask(request, { connection: 'Upgrade', upgrade: 'websocket' })
      answerWith(asked, response)
      asked.on('upgrade', (answer, upstream, first) => {
        response.detachSocket(socket as never)
        socket.write(switchedText(answer.rawHeaders))
        socket.write(first)
        upstream.write(head)
        join(socket, upstream)
        upgraded.add(upstream)
        upstream.on('close', () => upgraded.delete(upstream))
      })
      asked.end()
    },
    close() {
      agent.destroy()
      for (const socket of upgraded) {
        socket.destroy()
      }
    },
  }
}

/** Answers as the manager that leads would: problem+json, and when to ask again. */
export function refuse(response: ServerResponse, error: FairleadError): void {
  const body = JSON.stringify(problemOf(error, newId()))
  response.writeHead(error.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(typeof error.retry === 'object' ? { 'retry-after': String(error.retry.afterSeconds) } : {}),
  })
  response.end(body)
}

/** Everything as it came, so that signatures, cookies and the checks of host and origin hold; and who has come. */
function headersOf(request: IncomingMessage): Record<string, string | string[]> {
  const dropped = droppedFrom(request.headers.connection)
  const kept = Object.entries(request.headersDistinct).filter(([name]) => !dropped.has(name))
  const peer = request.socket.remoteAddress ?? ''
  const hops = [...(request.headersDistinct['x-forwarded-for'] ?? []), peer]
  return {
    ...(Object.fromEntries(kept) as Record<string, string[]>),
    'x-forwarded-for': hops.join(', '),
  }
}

/** Names and values in turn, as they were sent: cookies may be several. */
function keptOf(raw: readonly string[]): string[] {
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
  const connection = pairs.find(([name]) => name.toLowerCase() === 'connection')?.[1]
  const dropped = droppedFrom(connection).add('transfer-encoding')
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase())).flat()
}

function droppedFrom(connection = ''): Set<string> {
  const named = connection
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
  return new Set([...HOP_BY_HOP, ...named])
}

function switchedText(raw: readonly string[]): string {
  const lines = raw.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${raw[index + 1]}`] : []))
  return ['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n')
}

/** Whichever side ends or fails, the other one ends. */
function join(one: Duplex, other: Duplex): void {
  one.pipe(other).pipe(one)
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
}
