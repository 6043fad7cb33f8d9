import { createServer, type ServerHttp2Stream } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import { newId } from '#lib/id.ts'
import type { Secret } from '#lib/secret.ts'
import type { Engine, ImageBuildCall } from './call.ts'
import { fieldsOf, messageOf } from './protobuf.ts'
import { upgrade } from './request.ts'

/** What a build may ask for while it runs. */
type Offers = Pick<ImageBuildCall<unknown>, 'secrets' | 'registries'>

export interface BuildSession {
  /** Named in the request for the build. */
  readonly id: string
  close(): void
}

/** One gRPC method: the message that asks to the message that answers. */
type Method = (asked: Buffer) => Buffer

const OK = 0
const NOT_FOUND = 5
const UNIMPLEMENTED = 12
const INTERNAL = 13

class GrpcError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Opens a BuildKit session: a connection on which the engine asks us, over gRPC, for build secrets and registry
 * credentials. The engine also asks for our health every second and ends the session without an answer.
 */
export async function openSession(
  engine: Engine,
  offers: Offers,
  signal: AbortSignal,
): Promise<BuildSession> {
  const methods = methodsOf(offers)
  const id = newId()
  const headers = {
    host: 'docker',
    connection: 'Upgrade',
    upgrade: 'h2c',
    'x-docker-expose-session-uuid': id,
    'x-docker-expose-session-name': 'fairlead',
    'x-docker-expose-session-grpc-method': [...methods.keys()],
  }
  const { socket, head } = await upgrade({ engine, method: 'POST', path: '/session', headers, signal })
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, asked) => {
    stream.on('error', () => {})
    void answer(stream, methods.get(String(asked[':path'])))
  })
  server.on('sessionError', () => {})
  socket?.on('error', () => {})
  if (head.length > 0) {
    socket?.unshift(head)
  }
  if (socket instanceof TLSSocket) {
    // The engine speaks HTTP/2 on it without having agreed on that by ALPN, which the server would insist on.
    Object.defineProperty(socket, 'alpnProtocol', { value: 'h2' })
  }
  server.emit('connection', socket)
  return { id, close: () => socket?.destroy() }
}

function methodsOf({ secrets, registries }: Offers): Map<string, Method> {
  return new Map<string, Method>([
    ['/grpc.health.v1.Health/Check', () => messageOf({ 1: 1 })],
    ['/moby.buildkit.secrets.v1.Secrets/GetSecret', asked => secretFor(textIn(asked), secrets)],
    ['/moby.filesync.v1.Auth/Credentials', asked => credentialsFor(textIn(asked), registries)],
  ])
}

function secretFor(id: string, secrets: Readonly<Record<string, Secret>>): Buffer {
  const secret = Object.hasOwn(secrets, id) ? secrets[id] : undefined
  if (!secret) {
    throw new GrpcError(NOT_FOUND, 'no such secret')
  }
  return messageOf({ 1: secret.reveal() })
}

/** Without credentials the engine tries without. */
function credentialsFor(host: string, registries: Offers['registries']): Buffer {
  const isDockerHub = /(^|\.)docker\.io$/.test(host)
  const name = [host, ...(isDockerHub ? ['docker.io', 'index.docker.io'] : [])].find(each =>
    Object.hasOwn(registries, each),
  )
  const found = name === undefined ? undefined : registries[name]
  return found ? messageOf({ 1: found.username, 2: found.password.reveal() }) : Buffer.alloc(0)
}

/** Both questions have their text in field 1. */
function textIn(asked: Buffer): string {
  for (const { number, value } of fieldsOf(asked)) {
    if (number === 1 && typeof value !== 'number') {
      return value.toString('utf8')
    }
  }
  return ''
}

async function answer(stream: ServerHttp2Stream, method: Method | undefined): Promise<void> {
  try {
    if (!method) {
      throw new GrpcError(UNIMPLEMENTED, 'unknown method')
    }
    // gRPC: one byte that says uncompressed, four with the length, the message.
    const body = await buffer(stream)
    const message = method(body.subarray(5))
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(OK) }))
    stream.end(Buffer.concat([prefix, message]))
  } catch (error) {
    const status = error instanceof GrpcError ? error.status : INTERNAL
    const message = error instanceof GrpcError ? error.message : 'the question could not be read'
    if (!stream.destroyed) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': String(status),
          'grpc-message': message,
        },
        { endStream: true },
      )
    }
  }
}
