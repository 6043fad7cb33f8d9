import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SecureContextOptions } from 'node:tls'
import type { FairleadError } from '#lib/errors.ts'
import { revealed } from '#lib/secret.ts'
import { readAnswer, StoppedByConsumer } from './answer.ts'
import type { Engine, EngineAnswer, EngineRequest, PackedLayer } from './call.ts'
import type { CallContext } from './call-context.ts'
import { cut } from './cut.ts'
import { withinLimits } from './deadline.ts'
import { engineError, saidBy } from './engine-error.ts'
import { CALL_TIMED_OUT, ENGINE_BROKE_OFF, ENGINE_REFUSED } from './errors.ts'
import { systemCode } from './file-error.ts'
import type { PackedStream } from './packed-files.ts'
import type { EngineTls } from './remote-engines.ts'
import { queryText, shown } from './shown.ts'

/** An import of node:http would bring fetch and HTTP/2 along, 5 MB: importing a module evaluates all that it exports. */
const http = process.getBuiltinModule('node:http')

/** A kept connection that nobody used for so long is closed. */
const IDLE_MS = 30_000

/** Performs an engine request and gives what its read() makes of the answer. Redirects are answers, never followed. */
export async function request<T>(call: EngineRequest<T>, context: CallContext): Promise<T> {
  const { clock, signal, redactor } = context
  const name = cut(redactor.text(shown(call)), 300)
  const answer = await withinLimits({ call: name, timeoutMs: call.timeoutMs, clock, signal }, stop =>
    exchange(call, name, stop),
  ).catch(error => {
    throw CALL_TIMED_OUT.matches(error) && isQuestion(call) ? leftWaiting(call, name) : error
  })
  if (isAccepted(call, answer.status)) {
    return call.read(answer)
  }
  const said = redactor.text(saidBy(answer.text, answer.json))
  throw ENGINE_REFUSED(name, answer.status, said).with({
    facts: { request: name, status: answer.status, said },
  })
}

/** One that Docker can be asked again at any time. */
function isQuestion({ engine, method, stream }: EngineRequest<unknown>): boolean {
  return engine.kind === 'docker' && method === 'GET' && stream === undefined
}

/** An engine that has just started can let a question wait until it knows all of its containers: it is as good as away. */
function leftWaiting({ timeoutMs }: EngineRequest<unknown>, name: string): FairleadError {
  return ENGINE_BROKE_OFF(name, `nothing came within ${Math.round(timeoutMs / 100) / 10} s`)
}

async function exchange(
  call: EngineRequest<unknown>,
  name: string,
  stop: AbortSignal,
): Promise<EngineAnswer> {
  try {
    const packed = call.layer && (await packedLayer(call.layer))
    const response = await open({ ...wireFormOf(call, packed?.bytes), signal: stop })
    const stream = isAccepted(call, response.statusCode ?? 0) ? call.stream : undefined
    const answer = await readAnswer(response, stream, name)
    const sent = packed?.bytes.readableEnded ? { sent: packed.sent() } : {}
    packed?.bytes.destroy()
    return { ...answer, ...sent }
  } catch (error) {
    if (error instanceof StoppedByConsumer) {
      throw error.cause
    }
    stop.throwIfAborted()
    throw engineError(error, call.engine, name)
  }
}

/** Rare, and it brings the tar code along: an idle worker does without. */
async function packedLayer(layer: PackedLayer): Promise<PackedStream> {
  const { streamLayer } = await import('./packed-files.ts')
  return streamLayer(layer)
}

function isAccepted({ ok }: EngineRequest<unknown>, status: number): boolean {
  return ok === 'any' || ok.includes(status)
}

export interface WireRequest {
  readonly engine: Engine
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Readable
  readonly looksOnly?: boolean
  readonly signal: AbortSignal
}

/** Sends a request and gives the answer when its headers are there; aborting the signal ends both. */
export async function open(wire: WireRequest): Promise<IncomingMessage> {
  const repeatable = wire.method === 'GET' || wire.method === 'HEAD' || wire.looksOnly === true
  const keeps = wire.engine.kind !== 'http' || wire.engine.keepAlive !== false
  // What may not be sent twice never goes over a kept connection, which the engine may just have closed.
  const agent = repeatable && keeps ? keptAgent(wire.engine) : undefined
  try {
    return await send(wire, agent)
  } catch (error) {
    if (agent && error instanceof StaleConnection && !wire.signal.aborted) {
      return send(wire, undefined)
    }
    throw error instanceof StaleConnection ? error.cause : error
  }
}

/** Asks for another protocol on the connection and gives the connection. */
export async function upgrade(wire: WireRequest): Promise<{ socket: ClientRequest['socket']; head: Buffer }> {
  const sent = clientFor(wire.engine).request(optionsOf(wire, undefined))
  return new Promise((resolve, reject) => {
    sent.on('upgrade', (_response, socket, head) =>
      resolve({ socket: socket as ClientRequest['socket'], head }),
    )
    sent.on('response', response => {
      response.resume()
      reject(new Error(`answered ${response.statusCode} instead of an upgrade`))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Ends the kept connections, for an agent that stops. */
export function closeConnections(): void {
  for (const agent of Object.values(kept)) {
    agent.destroy()
  }
}

class StaleConnection extends Error {}

/** Each agent keeps connections apart by socket, origin and authority. Made on first use. */
const kept: { http?: Agent; https?: https.Agent } = {}

function keptAgent(engine: Engine): Agent {
  const options = { keepAlive: true, maxFreeSockets: 8, timeout: IDLE_MS }
  if (isSecure(engine)) {
    kept.https ??= new https.Agent(options)
    return kept.https
  }
  kept.http ??= new http.Agent(options)
  return kept.http
}

function send(wire: WireRequest, agent: Agent | undefined): Promise<IncomingMessage> {
  const sent = clientFor(wire.engine).request(optionsOf(wire, agent))
  let readBefore = 0
  sent.on('socket', socket => {
    readBefore = socket.bytesRead
  })
  return new Promise((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', error => {
      const nothingCame = (sent.socket?.bytesRead ?? readBefore) === readBefore
      const stale = sent.reusedSocket && nothingCame && /^(ECONNRESET|EPIPE)$/.test(systemCode(error) ?? '')
      reject(stale ? new StaleConnection('', { cause: error }) : error)
    })
    if (wire.body instanceof Readable) {
      // A failure of the body ends the request with that error; one of the request is reported above.
      pipeline(wire.body, sent).catch(error => sent.destroy(error))
    } else {
      sent.end(wire.body)
    }
  })
}

function clientFor(engine: Engine): typeof http | typeof https {
  return isSecure(engine) ? https : http
}

function isSecure(engine: Engine): boolean {
  return engine.kind === 'http'
    ? engine.origin.startsWith('https:')
    : engine.kind === 'docker' && engine.tls !== undefined
}

function optionsOf(wire: WireRequest, agent: Agent | undefined): RequestOptions {
  const { engine, method, path, signal } = wire
  const headers = Object.fromEntries(
    Object.entries(wire.headers).map(([key, value]) => [key, value as string]),
  )
  const base = { method, path, headers, signal, agent: agent ?? false }
  if (engine.kind === 'incus') {
    return { ...base, socketPath: engine.socket }
  }
  if (engine.kind === 'docker') {
    return engine.tls
      ? { ...base, ...placeOf(engine.socket), ...secured(engine.socket, engine.tls) }
      : { ...base, socketPath: engine.socket }
  }
  return {
    ...base,
    ...placeOf(engine.origin),
    ...(engine.ca === undefined ? {} : { ca: engine.ca }),
    ...(engine.username === undefined
      ? {}
      : { auth: `${engine.username}:${revealed(engine.password ?? '')}` }),
  }
}

function placeOf(origin: string): { hostname: string; port?: string } {
  const { hostname, port } = new URL(origin)
  return { hostname: hostname.replace(/^\[|\]$/g, ''), ...(port === '' ? {} : { port }) }
}

/** The name is the one of the address, whatever the Host header says. */
function secured(
  address: string,
  { ca, cert, key }: EngineTls,
): SecureContextOptions & { servername: string } {
  const { hostname } = placeOf(address)
  return { ca, cert, key: revealed(key), servername: isIP(hostname) === 0 ? hostname : '' }
}

function wireFormOf(call: EngineRequest<unknown>, stream: Readable | undefined): Omit<WireRequest, 'signal'> {
  const given = Object.entries(call.headers ?? {}).map(([key, value]) => [key.toLowerCase(), revealed(value)])
  const headers: Record<string, string> = {
    ...(call.engine.kind === 'http' ? {} : { host: call.engine.kind }),
    ...Object.fromEntries(given),
  }
  const body = stream ?? bodyOf(call)
  if (typeof body === 'string') {
    if (body !== '') {
      headers['content-type'] ??= typeof call.body === 'string' ? 'text/plain' : 'application/json'
    }
    headers['content-length'] = String(Buffer.byteLength(body))
  }
  return {
    engine: call.engine,
    method: call.method,
    path: call.path + queryText(call.query),
    headers,
    ...(body === undefined ? {} : { body }),
    ...(call.looksOnly ? { looksOnly: true } : {}),
  }
}

function bodyOf({ method, body }: EngineRequest<unknown>): string | undefined {
  if (body === undefined) {
    return method === 'GET' || method === 'HEAD' || method === 'DELETE' ? undefined : ''
  }
  return typeof body === 'string' ? body : JSON.stringify(body)
}
